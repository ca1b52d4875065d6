import { ApiError, type Api, type Note } from "../../api";
import type { TextKey } from "../../i18n/en";

/** A text that is being typed, and the version of the file it began with. */
export interface Draft { text: string; version: string }

// By session, so that a panel that was closed opens with what was typed, and the next person finds nothing.
const drafts = new WeakMap<Api, Map<string, Draft>>();

export function draftsOf(api: Api): Map<string, Draft> {
  let known = drafts.get(api);
  if (!known) drafts.set(api, (known = new Map()));
  return known;
}

const FILES: Record<string, TextKey> = {
  "SOUL.md": "notesSoul", "IDENTITY.md": "notesIdentity", "USER.md": "notesUser", "MEMORY.md": "notesMemory",
  "AGENTS.md": "notesAgents", "TOOLS.md": "notesTools", "HEARTBEAT.md": "notesHeartbeat",
};

export function aboutNote(name: string): TextKey {
  return FILES[name] ?? "notesDaily";
}

const REFUSALS: Record<string, TextKey> = { TOO_LARGE: "noteTooLarge", TOO_MANY: "noteTooMany", NOTE_CHANGED: "noteMeanwhile" };

/** The text for a save that was refused; null for one to be told in the server's words. */
export function refusal(error: Error): TextKey | null {
  return error instanceof ApiError ? REFUSALS[error.code] ?? null : null;
}

const UNREADABLE: Record<string, TextKey> = { TOO_LARGE: "noteTooLargeToShow", UNSUPPORTED_TYPE: "noteNotText", NOT_FOUND: "noteGone" };

export function unreadable(error: Error): TextKey | null {
  return error instanceof ApiError ? UNREADABLE[error.code] ?? null : null;
}

/** Why a file with an edit cannot be shown. */
export function hidden(problem: string): TextKey {
  return UNREADABLE[problem] ?? "noteNotText";
}

/** The text for an edit that could not be dropped. */
export function undropped(error: Error): TextKey {
  return error instanceof ApiError && error.code === "NOTE_APPLIED" ? "noteApplied" : "noteDropped";
}

/** What a person sees and edits: their edit if one waits, else the file. */
export function shownOf(note: Note): Draft {
  const { edit } = note;
  if (edit && edit.status !== "conflict") return { text: edit.text, version: edit.version };
  return { text: note.text ?? "", version: note.version };
}

/**
 * What saving a draft does while the file is `now`. `compared` is the version of the other text that the person was
 * shown: only that one is replaced, not what came after it.
 */
export function saving(draft: Draft, now: Draft, compared: string | null): "save" | "compare" | "replace" {
  if (now.version === draft.version) return "save";
  return compared === now.version ? "replace" : "compare";
}

export interface DiffLine { kind: "added" | "removed" | "same" | "place"; sign: string; text: string }

/** The lines of a unified diff. */
export function diffLines(diff: string): DiffLine[] {
  return diff.split("\n").map((line) => {
    if (line.startsWith("@@")) return { kind: "place", sign: "", text: "⋯" };
    const kind = line.startsWith("+") ? "added" : line.startsWith("-") ? "removed" : "same";
    return { kind, sign: line.slice(0, 1), text: line.slice(1) };
  });
}
