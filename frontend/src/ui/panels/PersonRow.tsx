import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type FormEvent, type ReactNode } from "react";
import type { Person } from "../../people";
import { useLanguage, useText } from "../../i18n";
import type { TextKey } from "../../i18n/en";
import { dollars } from "../../i18n/money";
import { useSession } from "../context";
import { keys } from "../queries";
import { RemovePerson } from "./RemovePerson";

const STATES: Partial<Record<Person["state"], TextKey>> = {
  invited: "personInvited", unconfirmed: "personUnconfirmed", closed: "personClosed", removing: "personRemoving",
};

export function PersonRow({ person }: { person: Person }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const [removing, setRemoving] = useState(false);
  const { email, createdAt, state, owner, you, agent, usd, complete, limitUsd } = person;
  const date = new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(createdAt);
  const about = [text("personSince", { date }), owner && text("personOwner"), you && text("personYou")];
  const note = STATES[state];
  const cost = { amount: dollars(usd, language), limit: dollars(limitUsd, language) };
  const going = state !== "removing" && state !== "closed";
  return (
    <li data-testid="person" data-email={email} data-state={state} data-agent={agent}>
      <strong dir="auto">{email}</strong>
      <p className="muted">{about.filter(Boolean).join(" · ")}</p>
      {note && <p className="note">{text(note)}</p>}
      <p className="muted">
        {text(agent === "Idle" ? "personAsleep" : "personAwake")} · {text(complete ? "personCost" : "personCostAtLeast", cost)}
      </p>
      {going && (
        <details className="own-log">
          <summary data-testid="person-limit">{text("personCap")}</summary>
          <Limit person={person} />
        </details>
      )}
      <div className="buttons">
        {state === "invited" && <InviteAgain email={email} />}
        {!you && (
          <button type="button" className="button danger-quiet" data-testid="person-remove" onClick={() => setRemoving(true)}>
            {text(state === "removing" ? "personRemoveOn" : "personRemove")}
          </button>
        )}
      </div>
      {removing && <RemovePerson person={person} onClose={() => setRemoving(false)} />}
    </li>
  );
}

function InviteAgain({ email }: { email: string }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const invite = useMutation({ mutationFn: () => api.people.invite(email) });
  return (
    <>
      <button type="button" className="button" disabled={invite.isPending} onClick={() => invite.mutate()}>{text("personInviteAgain")}</button>
      {invite.isSuccess && <p role="status">{text("personInvitedAgain", { email })}</p>}
      {invite.isError && <p className="form-error" role="alert">{invite.error.message}</p>}
    </>
  );
}

/** The owner's ceiling; empty: none of its own. */
function Limit({ person }: { person: Person }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const { api } = useSession();
  const queries = useQueryClient();
  const [value, setValue] = useState(person.capUsd === null ? "" : String(person.capUsd));
  const id = useId();
  const save = useMutation({
    mutationFn: () => api.people.limit(person.id, value.trim() === "" ? null : Number(value)),
    onSuccess: () => void queries.invalidateQueries({ queryKey: keys.people }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!save.isPending) save.mutate();
  };
  return (
    <form className="person-limit" onSubmit={submit} noValidate>
      <div className="field">
        <label htmlFor={id}>{text("personCapAmount")}</label>
        <input
          id={id} type="number" inputMode="decimal" min={0} max={1000} step={0.01} data-testid="person-cap" value={value}
          aria-describedby={`${id}-hint`} onChange={(event) => { save.reset(); setValue(event.target.value); }}
        />
        <p className="hint" id={`${id}-hint`}>{text("personCapHint", { limit: dollars(person.highestUsd, language) })}</p>
      </div>
      <button type="submit" className="button" data-testid="person-cap-save" disabled={save.isPending}>{text("personCapSave")}</button>
      {save.isSuccess && <p role="status" data-testid="person-cap-saved">{text("personCapSaved")}</p>}
      {save.isError && <p className="form-error" role="alert">{save.error.message}</p>}
    </form>
  );
}
