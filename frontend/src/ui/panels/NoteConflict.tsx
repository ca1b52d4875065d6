import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Note } from "../../api";
import { useText } from "../../i18n";
import { useSession } from "../context";
import { keys } from "../queries";
import { NoteText } from "./NoteText";
import { refusal, type Draft } from "./notes";

/** The agent's text and the person's edit, one above the other; nothing is overwritten until the person decides. */
export function NoteConflict({ note, onEdit, onGone }: { note: Note; onEdit(draft: Draft): void; onGone(): void }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const queries = useQueryClient();
  const mine = note.edit?.text ?? "";
  const decide = useMutation({
    mutationFn: async (take: "mine" | "theirs") => {
      if (take === "mine") await api.editNote({ name: note.name, text: mine, version: note.version });
      else await api.dropNoteEdit(note.name, note.edit?.id ?? "");
    },
    onSuccess: (_, take) => { if (take === "theirs" && note.text === null) onGone(); },
    onSettled: () => queries.invalidateQueries({ queryKey: keys.notes }),
  });
  const refused = decide.error && refusal(decide.error);
  return (
    <div className="note-conflict" data-testid="note-conflict">
      <p className="note-warning" role="alert">{text("noteConflict")}</p>
      <h4>{text("noteTheirs")}</h4>
      {note.text === null ? <p className="muted">{text("noteGone")}</p> : <NoteText text={note.text} />}
      <h4>{text("noteMine")}</h4>
      <NoteText text={mine} />
      {decide.isError && <p className="form-error" role="alert">{refused ? text(refused) : text("saveFailed", { message: decide.error.message })}</p>}
      <div className="buttons">
        <button type="button" className="button" data-testid="note-merge" disabled={decide.isPending} onClick={() => onEdit({ text: mine, version: note.version })}>{text("noteMerge")}</button>
        <button type="button" className="button" data-testid="note-theirs" disabled={decide.isPending} onClick={() => decide.mutate("theirs")}>{text("noteTakeTheirs")}</button>
        <button type="button" className="button" data-testid="note-mine" disabled={decide.isPending} onClick={() => decide.mutate("mine")}>{text("noteTakeMine")}</button>
      </div>
    </div>
  );
}
