/**
 * One run is one attempt at an answer. Chunks come from a live stream and from
 * replays, in any mix; this module turns them into one text, exactly once each.
 */
import type { ChunkFrame, EndFrame, GivenFile, ProgressCard, RunKey, Thinking, WorkStep } from "../protocol/frames";

export type RunState = "streaming" | "done" | "aborted" | "error";

export interface Run extends RunKey {
  state: RunState;
  text: string;
  lastSeq: number;
  /** Length of the text after each seq that ended a chunk: where an overlapping replay is cut in. */
  ends: ReadonlyMap<number, number>;
  /** Chunks after a gap, kept until the gap is filled. */
  ahead: readonly ChunkFrame[];
  /** Runs that this one replaced; what still arrives from them is dropped. */
  replaced: readonly string[];
  startedAt: number;
  activity?: { kind: "thinking" | "tool"; name?: string };
  error?: { code: string; message: string };
  files?: GivenFile[];
  /** The tool calls so far. */
  work?: readonly WorkStep[];
  model?: string;
  costUsd?: number;
  /** What the model thinks now; after the end, all that it thought. */
  thinking?: Thinking;
  card?: ProgressCard;
  /** Another run took its message in: there is no answer of its own. */
  steered?: boolean;
}

export interface RunStep {
  run: Run;
  /** A gap opened that nobody has asked to fill yet. */
  gap: boolean;
}

/** Chunks held while a gap is open; beyond it a resume brings them again. */
const MAX_AHEAD = 200;

export function newRun(key: RunKey, now: number, before?: Run): Run {
  return {
    runId: key.runId, conversationId: key.conversationId, replyTo: key.replyTo,
    state: "streaming", text: "", lastSeq: 0, ends: new Map([[0, 0]]), ahead: [], startedAt: now,
    replaced: before ? [...before.replaced, before.runId] : [],
  };
}

/** The run a frame speaks of: the known one, a new one in its place, or null for a replaced one. */
export function runFor(known: Run | undefined, key: RunKey, now: number): Run | null {
  if (!known) return newRun(key, now);
  if (known.runId === key.runId) return known;
  return known.replaced.includes(key.runId) ? null : newRun(key, now, known);
}

export function applyChunk(known: Run | undefined, chunk: ChunkFrame, now: number): RunStep | null {
  const run = runFor(known, chunk, now);
  if (!run || run.state !== "streaming" || chunk.seq <= run.lastSeq) return null;
  const next = append(run, chunk);
  if (next) return { run: drain(next), gap: false };
  const gap = run.ahead.length === 0;
  const ahead = run.ahead.length < MAX_AHEAD ? [...run.ahead, chunk] : run.ahead;
  return { run: { ...run, ahead }, gap };
}

/** Appends a chunk that starts right after, or inside, what is known; null when it lies beyond a gap. */
function append(run: Run, chunk: ChunkFrame): Run | null {
  const cut = chunk.fromSeq === run.lastSeq + 1 ? run.text.length : run.ends.get(chunk.fromSeq - 1);
  if (cut === undefined) return null;
  const text = run.text.slice(0, cut) + chunk.content;
  const ends = new Map(run.ends).set(chunk.seq, text.length);
  const { activity: _, ...rest } = run;
  return { ...rest, text, ends, lastSeq: chunk.seq };
}

function drain(run: Run): Run {
  let current: Run = { ...run, ahead: [] };
  const waiting = run.ahead.toSorted((a, b) => a.fromSeq - b.fromSeq);
  const still: ChunkFrame[] = [];
  for (const chunk of waiting) {
    if (chunk.seq <= current.lastSeq) continue;
    const next = append(current, chunk);
    if (next) current = next;
    else still.push(chunk);
  }
  return { ...current, ahead: still };
}

export interface EndStep {
  run: Run;
  /** The text is not the whole answer: fetch the saved one. */
  incomplete: boolean;
}

export function applyEnd(known: Run | undefined, end: EndFrame, now: number): EndStep | null {
  const run = runFor(known, end, now);
  if (!run || run.state !== "streaming") return null;
  const steered = end.reason === "steered";
  const state: RunState = end.reason === "final" || end.reason === "steered" ? "done" : end.reason;
  const incomplete = end.seq !== run.lastSeq + 1 || (end.length ?? 0) !== codePoints(run.text);
  const { activity: _, thinking: __, card: ___, ...rest } = run;
  const ended: Run = { ...rest, state, ends: new Map(), ahead: [] };
  if (end.error) ended.error = end.error;
  if (end.files) ended.files = end.files;
  if (steered) ended.steered = true;
  if (end.model) ended.model = end.model;
  if (end.costUsd !== undefined) ended.costUsd = end.costUsd;
  if (end.card) ended.card = end.card;
  if (end.thinking) ended.thinking = end.thinking;
  return { run: ended, incomplete };
}

/** Number of Unicode code points, which is how the server counts; JavaScript counts UTF-16 units. */
export function codePoints(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i += 1) {
    const high = text.charCodeAt(i);
    if (high < 0xd800 || high > 0xdbff) continue;
    const low = text.charCodeAt(i + 1);
    if (low >= 0xdc00 && low <= 0xdfff) { count -= 1; i += 1; }
  }
  return count;
}
