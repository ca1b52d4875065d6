import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type FormEvent, type ReactNode } from "react";
import { useText } from "../../i18n";
import { useSession } from "../context";
import { keys } from "../queries";
import { PersonRow } from "./PersonRow";

/** Who has an account here, for the owner of the deployment. */
export function PeoplePanel(): ReactNode {
  const text = useText();
  const { api } = useSession();
  const { data, isError, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: keys.people, queryFn: ({ pageParam }) => api.people.list(pageParam), staleTime: 0,
    initialPageParam: null as string | null, getNextPageParam: (page) => page.next,
  });
  if (isError) {
    return (
      <div role="alert">
        <p>{text("peopleFailed")}</p>
        <button type="button" className="button" onClick={() => void refetch()}>{text("retry")}</button>
      </div>
    );
  }
  return (
    <>
      <p className="muted">{text("peopleIntro")}</p>
      {!data && <p className="muted" role="status">{text("loading")}</p>}
      {data && (
        <ul className="automations" data-testid="people">
          {data.pages.flatMap((page) => page.people).map((person) => <PersonRow key={person.id} person={person} />)}
        </ul>
      )}
      {hasNextPage && (
        <button type="button" className="button" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>{text("peopleMore")}</button>
      )}
      <Invite />
    </>
  );
}

function Invite(): ReactNode {
  const text = useText();
  const { api } = useSession();
  const queries = useQueryClient();
  const [email, setEmail] = useState("");
  const id = useId();
  const invite = useMutation({
    mutationFn: (address: string) => api.people.invite(address),
    onSuccess: () => {
      setEmail("");
      void queries.invalidateQueries({ queryKey: keys.people });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!invite.isPending) invite.mutate(email.trim());  // the server says what is wrong with an address
  };
  return (
    <form className="hook-form" onSubmit={submit} noValidate>
      <div className="field">
        <label htmlFor={id}>{text("personEmail")}</label>
        <input
          id={id} type="email" data-testid="invite-email" value={email} aria-required="true" autoComplete="off"
          aria-describedby={`${id}-hint`} onChange={(event) => setEmail(event.target.value)}
        />
        <p className="hint" id={`${id}-hint`}>{text("personInviteHint")}</p>
      </div>
      {invite.isError && <p className="form-error" role="alert">{invite.error.message}</p>}
      {invite.isSuccess && (
        <p role="status" data-testid="invited">{text(invite.data.again ? "personInvitedAgain" : "personInvitedNow", { email: invite.data.email })}</p>
      )}
      <button type="submit" className="button primary" data-testid="invite" disabled={invite.isPending}>{text("personInvite")}</button>
    </form>
  );
}
