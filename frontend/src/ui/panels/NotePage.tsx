import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";
import type { Note } from "../../api";
import { useLanguage, useText } from "../../i18n";
import { Confirm } from "../Confirm";
import { useChat, useSession } from "../context";
import { keys } from "../queries";
import { NoteConflict } from "./NoteConflict";
import { NoteEditor } from "./NoteEditor";
import { NoteText } from "./NoteText";
import { aboutNote, draftsOf, hidden, shownOf, undropped, unreadable, type Draft } from "./notes";

/** One memory file. What was typed and not saved is there again when the panel is opened again. */
export function NotePage({ name, onBack }: { name: string; onBack(): void }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const heading = useRef<HTMLHeadingElement>(null);
  const [draft, setDraft] = useState<Draft | null>(() => draftsOf(api).get(name) ?? null);
  const { data, isError, error, refetch } = useQuery({
    queryKey: [...keys.notes, "one", name], queryFn: () => api.note(name), staleTime: 0, retry: false,
  });
  useEffect(() => heading.current?.focus(), []);
  const edit = (next: Draft | null) => {
    if (next) draftsOf(api).set(name, next);
    else draftsOf(api).delete(name);
    setDraft(next);
  };
  const problem = isError && !data ? unreadable(error) : null;
  return (
    <>
      <button type="button" className="link note-back" data-testid="note-back" onClick={onBack}>‹ {text("noteAll")}</button>
      <div>
        <h3 ref={heading} tabIndex={-1}><bdi>{name}</bdi></h3>
        <p className="muted">{text(aboutNote(name))}</p>
      </div>
      {isError && !data && (
        <div role="alert">
          <p>{problem ? text(problem) : text("notesFailed", { message: error.message })}</p>
          {!problem && <button type="button" className="button" onClick={() => void refetch()}>{text("retry")}</button>}
        </div>
      )}
      {!data && !isError && <p className="muted" role="status">{text("loading")}</p>}
      {data && draft && <NoteEditor note={data} draft={draft} onDraft={edit} />}
      {data && !draft && <Reading note={data} onEdit={edit} onGone={onBack} />}
    </>
  );
}

interface Reads { note: Note; onEdit(draft: Draft): void; onGone(): void }

export function Reading({ note, onEdit, onGone }: Reads): ReactNode {
  const text = useText();
  if (note.problem && note.edit) return <Hidden note={note} problem={note.problem} onGone={onGone} />;
  if (note.edit?.status === "conflict") return <NoteConflict note={note} onEdit={onEdit} onGone={onGone} />;
  const shown = shownOf(note);
  const gone = note.text === null && !note.edit;
  return (
    <>
      {note.edit && <Pending note={note} onGone={onGone} />}
      <button type="button" className="button" data-testid="note-edit" onClick={() => onEdit(shown)}>{text("noteEdit")}</button>
      {gone && <p className="muted">{text("noteGone")}</p>}
      {!gone && <NoteText text={shown.text} />}
    </>
  );
}

/** A file that cannot be shown any more: what the person wrote is still theirs to copy or to drop. */
function Hidden({ note, problem, onGone }: { note: Note; problem: string; onGone(): void }): ReactNode {
  const text = useText();
  return (
    <>
      <p className="note-warning" role="alert" data-testid="note-hidden">{text(hidden(problem))}</p>
      <Pending note={note} onGone={onGone} />
      <h4>{text("noteMine")}</h4>
      <NoteText text={note.edit?.text ?? ""} />
    </>
  );
}

/** An edit that waits, and the way to take it back. `onGone`: without it there is nothing to show. */
function Pending({ note, onGone }: { note: Note; onGone(): void }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const { api } = useSession();
  const queries = useQueryClient();
  const agent = useChat("agent");
  const [asking, setAsking] = useState(false);
  const drop = useMutation({
    mutationFn: () => api.dropNoteEdit(note.name, note.edit?.id ?? ""),
    onSuccess: () => { if (note.text === null) onGone(); },
    onSettled: () => queries.invalidateQueries({ queryKey: keys.notes }),
  });
  const status = note.edit?.status;
  const awake = agent?.status === "Running" || agent?.status === "Starting";
  const time = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(note.edit?.at);
  return (
    <div className="note-waits" data-testid="note-pending">
      {status !== "conflict" && <p role="status">{text(!awake ? "notePendingAsleep" : status === "applied" ? "notePendingApplied" : "notePendingAwake", { time })}</p>}
      {drop.isError && <p className="form-error" role="alert">{text(undropped(drop.error))}</p>}
      {status !== "applied" && <button type="button" className="button" data-testid="note-drop" disabled={drop.isPending} onClick={() => setAsking(true)}>{text("noteDrop")}</button>}
      {asking && (
        <Confirm
          title={text("noteDrop")} body={text("noteDropConfirm", { name: note.name })} action={text("noteDrop")}
          onClose={() => setAsking(false)} onConfirm={() => { setAsking(false); drop.mutate(); }}
        />
      )}
    </div>
  );
}
