import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useId, useState, type ReactNode } from "react";
import type { NoteHits, NoteList, NoteSummary } from "../../api";
import { useLanguage, useText } from "../../i18n";
import { FileIcon } from "../Icons";
import { useSession } from "../context";
import { keys } from "../queries";
import { NoteChanges } from "./NoteChanges";
import { HitList, useRecalled } from "./NoteHits";
import { NotePage } from "./NotePage";
import { aboutNote } from "./notes";

// Each save is told, but a tab that was offline has missed it.
const POLL_MS = 60_000;
const MAX_QUERY = 100;
const SETTLED_MS = 300;

/** The agent's memory files, as they were saved last: read, searched and edited, also while it sleeps. */
export function NotesPanel(): ReactNode {
  const text = useText();
  const { api } = useSession();
  const [open, setOpen] = useState<string | null>(null);
  const [last, setLast] = useState<string | null>(null);
  const [words, setWords] = useState("");
  const { data, isError, error, refetch } = useQuery({
    queryKey: keys.notes, queryFn: api.notes, staleTime: 0, refetchInterval: POLL_MS,
  });
  const show = (name: string | null) => {
    setLast(open);
    setOpen(name);
  };
  if (open !== null) return <NotePage key={open} name={open} onBack={() => show(null)} />;
  if (isError) {
    return (
      <div role="alert">
        <p>{text("notesFailed", { message: error.message })}</p>
        <button type="button" className="button" onClick={() => void refetch()}>{text("retry")}</button>
      </div>
    );
  }
  if (!data) return <p className="muted" role="status">{text("loading")}</p>;
  return <Notes list={data} last={last} words={words} onWords={setWords} onOpen={show} />;
}

interface Props { list: NoteList; last: string | null; words: string; onWords(words: string): void; onOpen(name: string): void }

function Notes({ list, last, words, onWords, onOpen }: Props): ReactNode {
  const text = useText();
  const language = useLanguage();
  const id = useId();
  const wanted = useSettled(words.trim());
  if (list.savedAt === null) return <p className="muted" data-testid="notes-never">{text("notesNever")}</p>;
  const time = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(list.savedAt);
  return (
    <>
      <p className="muted">{text("notesSaved", { time })}</p>
      <div className="field">
        <label htmlFor={id}>{text("notesSearch")}</label>
        <input
          id={id} type="search" data-testid="notes-search" value={words} maxLength={MAX_QUERY} autoComplete="off"
          onChange={(event) => onWords(event.target.value)}
        />
      </div>
      {wanted && words.trim() ? <Hits words={wanted} onOpen={onOpen} /> : (
        <>
          <ul className="workspace">
            {list.notes.map((note) => <Row key={note.name} note={note} focused={note.name === last} onOpen={() => onOpen(note.name)} />)}
          </ul>
          {list.changed && <NoteChanges changed={list.changed} />}
        </>
      )}
    </>
  );
}

/** The value once it has not changed for a moment: each search reads many files. */
function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

function Row({ note, focused, onOpen }: { note: NoteSummary; focused: boolean; onOpen(): void }): ReactNode {
  const text = useText();
  const about = note.edit ? text(note.edit.status === "conflict" ? "notesConflict" : "notesWaits") : "";
  return (
    <li data-testid="note" data-edit={note.edit?.status}>
      <button type="button" className="workspace-row" autoFocus={focused} onClick={onOpen}>
        <FileIcon />
        <span className="note-name">
          <bdi>{note.name}</bdi>
          <small className="muted">{text(aboutNote(note.name))}</small>
        </span>
        {about && <small className="note-mark">{about}</small>}
      </button>
    </li>
  );
}

/** What the agent itself finds while it is awake, and the lines that hold the text. */
function Hits({ words, onOpen }: { words: string; onOpen(name: string): void }): ReactNode {
  const text = useText();
  const recalled = useRecalled(words);
  if (!recalled.length) return <Lines words={words} onOpen={onOpen} />;
  return (
    <>
      <h4>{text("notesRecalled")}</h4>
      <HitList hits={recalled} testId="note-recalled" onOpen={onOpen} />
      <h4>{text("notesExact")}</h4>
      <Lines words={words} onOpen={onOpen} />
    </>
  );
}

function Lines({ words, onOpen }: { words: string; onOpen(name: string): void }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const { data, isError, error } = useQuery<NoteHits>({
    queryKey: [...keys.notes, "search", words], queryFn: () => api.searchNotes(words), staleTime: 10_000,
    placeholderData: keepPreviousData,
  });
  if (isError) return <p className="form-error" role="alert">{text("notesFailed", { message: error.message })}</p>;
  if (!data) return <p className="muted" role="status">{text("loading")}</p>;
  if (data.hits.length === 0) return <p className="muted" role="status">{text("notesNoHits")}</p>;
  return (
    <>
      <HitList hits={data.hits} testId="note-hit" onOpen={onOpen} />
      {data.truncated && <p className="muted" role="status">{text("notesMoreHits")}</p>}
    </>
  );
}
