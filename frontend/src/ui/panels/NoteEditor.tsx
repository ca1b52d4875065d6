import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type FormEvent, type ReactNode } from "react";
import type { Note } from "../../api";
import { useText } from "../../i18n";
import { Confirm } from "../Confirm";
import { useSession } from "../context";
import { keys } from "../queries";
import { NoteText } from "./NoteText";
import { draftsOf, refusal, saving, shownOf, type Draft } from "./notes";

/** `note` is the file as it is now: if that is not what the draft began with, both are shown before it is replaced. */
export function NoteEditor({ note, draft, onDraft }: { note: Note; draft: Draft; onDraft(draft: Draft | null): void }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const queries = useQueryClient();
  const id = useId();
  const [asking, setAsking] = useState(false);
  const now = shownOf(note);
  const [compared, setCompared] = useState<string | null>(null);  // the version of the other text that was shown
  const noteKey = [...keys.notes, "one", note.name];
  const save = useMutation({
    mutationFn: ({ text: typed, version }: Draft) => api.editNote({ name: note.name, text: typed, version }),
    onSuccess: (edit, { text: typed }) => {
      queries.setQueryData<Note>(noteKey, (known) => known && { ...known, edit: { ...edit, text: typed } });
      // The panel may have been closed and opened again meanwhile, and more typed there.
      if (draftsOf(api).get(note.name)?.text === typed) onDraft(null);
    },
    onError: async (error) => {
      if (refusal(error) !== "noteMeanwhile") return;
      await queries.refetchQueries({ queryKey: noteKey });
      const known = queries.getQueryData<Note>(noteKey);
      if (known) setCompared(shownOf(known).version);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: keys.notes }),
  });
  const refused = save.error && refusal(save.error);
  const failed = save.error && (refused ? text(refused) : text("saveFailed", { message: save.error.message }));
  const next = saving(draft, now, compared);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (save.isPending) return;
    if (next === "compare") setCompared(now.version);
    else save.mutate({ text: draft.text, version: now.version });
  };
  return (
    <form className="note-editor" onSubmit={submit}>
      {next === "replace" && (
        <>
          <p className="note-warning" role="alert">{text("noteMeanwhile")}</p>
          <h4>{text("noteNow")}</h4>
          <NoteText text={now.text} />
        </>
      )}
      <div className="field">
        <label htmlFor={id}>{text("noteText", { name: note.name })}</label>
        <textarea
          id={id} data-testid="note-input" value={draft.text} spellCheck={false} dir="auto" autoFocus readOnly={save.isPending} aria-describedby={`${id}-hint`}
          onChange={(event) => onDraft({ ...draft, text: event.target.value })}
        />
        <p className="hint" id={`${id}-hint`}>{text("noteHint")}</p>
      </div>
      {failed && (refused !== "noteMeanwhile" || next === "save") && <p className="form-error" role="alert">{failed}</p>}
      <div className="buttons">
        <button type="button" className="button" data-testid="note-stop" onClick={() => (draft.text === now.text ? onDraft(null) : setAsking(true))}>{text("noteStop")}</button>
        <button type="submit" className="button primary" data-testid="note-save" disabled={save.isPending}>{text("noteSave")}</button>
      </div>
      {asking && (
        <Confirm
          title={text("noteStop")} body={text("noteStopConfirm", { name: note.name })} action={text("noteStop")}
          onClose={() => setAsking(false)} onConfirm={() => { setAsking(false); onDraft(null); }}
        />
      )}
    </form>
  );
}
