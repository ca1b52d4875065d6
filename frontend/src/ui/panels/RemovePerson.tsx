import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type FormEvent, type ReactNode } from "react";
import { removeWholly, type Person, type Removal } from "../../people";
import { useText } from "../../i18n";
import { useSession } from "../context";
import { Modal } from "../Modal";
import { keys } from "../queries";

/** Asks for the address once more: what is deleted cannot be brought back. A removal that broke off goes on from here. */
export function RemovePerson({ person, onClose }: { person: Person; onClose(): void }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const queries = useQueryClient();
  const [typed, setTyped] = useState("");
  const [state, setState] = useState<Removal>("stopping");
  const id = useId();
  const remove = useMutation({
    mutationFn: () => removeWholly(() => api.people.remove(person.id, typed.trim()), setState),
    onSettled: () => void queries.invalidateQueries({ queryKey: keys.people }),
    onSuccess: onClose,
  });
  const same = typed.trim().toLowerCase() === person.email.toLowerCase();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (same && !remove.isPending) remove.mutate();
  };
  const title = text("personRemoveTitle", { email: person.email });
  return (
    <Modal label={title} className="confirm" testId="remove-person" onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <h2>{title}</h2>
        <p>{text("personRemoveBody")}</p>
        <div className="field">
          <label htmlFor={id}>{text("personRemoveRepeat", { email: person.email })}</label>
          <input id={id} type="email" data-testid="remove-email" value={typed} autoComplete="off" autoFocus onChange={(event) => setTyped(event.target.value)} />
        </div>
        {remove.isPending && <p role="status">{text(state === "stopping" ? "personStopping" : "personDeleting")}</p>}
        {remove.isError && <p className="form-error" role="alert">{remove.error.message}</p>}
        <div className="buttons">
          <button type="button" className="button" onClick={onClose}>{text("cancel")}</button>
          <button type="submit" className="button danger" data-testid="remove-action" disabled={!same || remove.isPending}>{text("personRemoveAction")}</button>
        </div>
      </form>
    </Modal>
  );
}
