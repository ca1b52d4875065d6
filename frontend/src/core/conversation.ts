/** One conversation as a pure state machine: frames and saved pages in, a timeline out. */
import type { Attachment, CardFrame, ChunkFrame, EndFrame, FirstWords, FirstWordsFrame, GivenFile, RowReason, Failure, MessageRow, ProgressCard, Question, RunKey, ActivityFrame, Thinking, ThinkingFrame, WorkFrame, WorkStep } from "../protocol/frames";
import { answerId } from "../protocol/frames";
import type { OutboxEntry } from "./outbox";
import { applyChunk, applyEnd, runFor, type Run } from "./runs";

export type MessageState = "pending" | "done" | "aborted" | "error";

export interface Message {
  id: string;
  role: "user" | "assistant";
  text: string;
  createdAt: number;
  state: MessageState;
  replyTo?: string;
  attachments?: Attachment[];
  files?: GivenFile[];
  error?: Failure;
  /** Made here and not yet seen in a saved page; its time is this machine's clock. */
  local?: boolean;
  /** Of a local message that was accepted: the server's time of the newest message saved before it. */
  after?: number;
  /** Of an answer: there is none, another answer took the question in. */
  steered?: boolean;
  /** Of a question: what was said to it before the agent was awake. */
  firstWords?: FirstWords;
  /** Of something that no person wrote or asked for: why it is here. */
  cause?: string;
  /** What the agent did for it, the model that wrote it, and what its calls cost. */
  work?: readonly WorkStep[];
  model?: string;
  costUsd?: number;
  thinking?: Thinking;
  card?: ProgressCard;
  /** What the agent asks, and what became of it. */
  question?: Question;
}

export type LoadState = "new" | "loading" | "loaded" | "failed";

export interface Conversation {
  id: string;
  load: LoadState;
  /** Cursor of the next older page; null when there is none. */
  before: string | null;
  messages: Readonly<Record<string, Message>>;
  /** Runs by the id of the user's message they answer. */
  runs: Readonly<Record<string, Run>>;
}

/** What the reducer asks its owner to do. */
export type Effect =
  | { kind: "resume"; conversationId: string; runId: string; lastSeq: number }
  | { kind: "refetch"; conversationId: string };

export interface Step {
  conversation: Conversation;
  effects: Effect[];
}

export function newConversation(id: string): Conversation {
  return { id, load: "new", before: null, messages: {}, runs: {} };
}

const still = (conversation: Conversation): Step => ({ conversation, effects: [] });

function withRun(conversation: Conversation, run: Run): Conversation {
  return { ...conversation, runs: { ...conversation.runs, [run.replyTo]: run } };
}

export function onChunk(conversation: Conversation, chunk: ChunkFrame, now: number): Step {
  if (answered(conversation, chunk)) return still(conversation);
  const step = applyChunk(conversation.runs[chunk.replyTo], chunk, now);
  if (!step) return still(conversation);
  const { run, gap } = step;
  const effects: Effect[] = gap
    ? [{ kind: "resume", conversationId: conversation.id, runId: run.runId, lastSeq: run.lastSeq }]
    : [];
  return { conversation: withRun(conversation, run), effects };
}

export function onActivity(conversation: Conversation, frame: ActivityFrame, now: number): Conversation {
  if (answered(conversation, frame)) return conversation;
  const run = runFor(conversation.runs[frame.replyTo], frame, now);
  if (!run || run.state !== "streaming") return conversation;
  if (frame.state === "end") {
    const { activity: _, ...rest } = run;
    return withRun(conversation, rest);
  }
  const activity = frame.name ? { kind: frame.kind, name: frame.name } : { kind: frame.kind };
  return withRun(conversation, { ...run, activity });
}

export function onThinking(conversation: Conversation, frame: ThinkingFrame, now: number): Conversation {
  if (answered(conversation, frame)) return conversation;
  const run = runFor(conversation.runs[frame.replyTo], frame, now);
  if (!run || run.state !== "streaming") return conversation;
  const thinking = frame.text ? { thinking: { text: frame.text } } : {};
  return withRun(conversation, { ...run, ...thinking, activity: { kind: "thinking" } });
}

export function onCard(conversation: Conversation, frame: CardFrame, now: number): Conversation {
  if (answered(conversation, frame)) return conversation;
  const run = runFor(conversation.runs[frame.replyTo], frame, now);
  if (!run || run.state !== "streaming") return conversation;
  const { card: _, ...rest } = run;
  return withRun(conversation, frame.card ? { ...rest, card: frame.card } : rest);
}

/** Each frame has all of them, so one that comes late or twice changes nothing. */
export function onFirstWords(conversation: Conversation, { replyTo, text, ended }: FirstWordsFrame): Conversation {
  const known = conversation.messages[replyTo]?.firstWords;
  if (known && (known.ended || known.text.length > text.length)) return conversation;
  return patchMessage(conversation, replyTo, { firstWords: { text, ended } });
}

/** A step that is known already has ended; it keeps its place. */
export function onWork(conversation: Conversation, frame: WorkFrame, now: number): Conversation {
  if (answered(conversation, frame)) return conversation;
  const run = runFor(conversation.runs[frame.replyTo], frame, now);
  if (!run || run.state !== "streaming") return conversation;
  const known = run.work ?? [];
  const at = known.findIndex(({ id }) => id === frame.step.id);
  if (at >= 0 && frame.step.state === "running") return conversation; // a replay of what has ended since
  const work = at < 0 ? [...known, frame.step] : known.with(at, frame.step);
  return withRun(conversation, { ...run, work });
}

export function onEnd(conversation: Conversation, end: EndFrame, now: number): Step {
  if (answered(conversation, end)) return still(conversation);
  const step = applyEnd(conversation.runs[end.replyTo], end, now);
  if (!step) return still(conversation);
  const effects: Effect[] = step.incomplete ? [{ kind: "refetch", conversationId: conversation.id }] : [];
  return { conversation: withRun(conversation, step.run), effects };
}

/** True once the saved answer is here and no run is replacing it: late frames have nothing to add. */
function answered(conversation: Conversation, key: RunKey): boolean {
  const saved = conversation.messages[answerId(key.replyTo)];
  return saved !== undefined && saved.state !== "error" && !conversation.runs[key.replyTo];
}

const STATES: Record<RowReason, MessageState> = {
  final: "done", aborted: "aborted", error: "error", steered: "done", proactive: "done", question: "done",
};

function fromRow(row: MessageRow, known: Message | undefined): Message {
  const message: Message = {
    id: row.messageId, role: row.role, text: row.content,
    createdAt: row.createdAt ?? known?.createdAt ?? 0,
    state: row.role === "assistant" ? STATES[row.reason ?? "final"] : "done",
  };
  if (row.replyTo) message.replyTo = row.replyTo;
  if (row.reason === "steered") message.steered = true;
  if (row.cause || row.reason === "proactive") message.cause = row.cause ?? "";
  if (row.question) message.question = row.question;
  const firstWords = row.firstWords ?? known?.firstWords;
  if (firstWords) message.firstWords = firstWords;
  if (row.work?.length) message.work = row.work;
  if (row.model) message.model = row.model;
  if (row.card) message.card = row.card;
  if (row.thinking) message.thinking = row.thinking;
  if (row.costUsd !== undefined) message.costUsd = row.costUsd;
  // The server keeps no image bytes; this tab may still have them.
  const attachments = heard(known?.attachments, row.attachments);
  if (attachments?.length) message.attachments = attachments;
  if (row.files) message.files = row.files;
  const error = row.error ?? (row.role === "user" ? known?.error : undefined);
  if (error) message.error = error;
  return message;
}

/** Saved messages are the truth: they replace what was put together from a stream. */
export function onRows(conversation: Conversation, rows: readonly MessageRow[]): Conversation {
  if (rows.length === 0) return conversation;
  const messages = { ...conversation.messages };
  const runs = { ...conversation.runs };
  for (const row of rows) {
    messages[row.messageId] = fromRow(row, messages[row.messageId]);
    const run = row.replyTo ? runs[row.replyTo] : undefined;
    if (!run) continue;
    // A saved failure of an earlier attempt does not end the attempt that is streaming now.
    if (run.state === "streaming" && row.reason === "error") continue;
    delete runs[run.replyTo];
  }
  return { ...conversation, messages, runs };
}

/** A message of this tab's that is on its way. */
export function pending({ id, text, createdAt, attachments }: OutboxEntry): Message {
  return { id, role: "user", text, createdAt, state: "pending", local: true, ...(attachments ? { attachments } : {}) };
}

export function addLocal(conversation: Conversation, message: Message): Conversation {
  return { ...conversation, messages: { ...conversation.messages, [message.id]: message } };
}

export function patchMessage(conversation: Conversation, id: string, patch: Partial<Message>): Conversation {
  const known = conversation.messages[id];
  if (!known) return conversation;
  return addLocal(conversation, { ...known, ...patch });
}

/** The server has a message of this tab's: what others write from now on comes after it. */
export function acceptLocal(conversation: Conversation, id: string): Conversation {
  return patchMessage(conversation, id, { state: "done", after: newestSaved(conversation) });
}

/** Puts accepted messages that are newer than what is saved here after it. */
export function placeLocal(conversation: Conversation, newer: (message: Message) => boolean): Conversation {
  const after = newestSaved(conversation);
  const accepted = Object.values(conversation.messages)
    .filter((message) => message.local && message.after !== undefined && newer(message));
  return accepted.reduce((known, { id }) => patchMessage(known, id, { after }), conversation);
}

function newestSaved({ messages }: Conversation): number {
  return Math.max(0, ...Object.values(messages).map((message) => (message.local ? 0 : message.createdAt)));
}

/** The server gives no picture back: a question whose pictures this tab has not cannot be asked again as it was.
 * What a program sent would become the person's own words. */
export function canAskAgain({ text, attachments = [], cause }: Message): boolean {
  return cause === undefined && (text !== "" || attachments.length > 0) && attachments.every(canSendAgain);
}

/** This tab's own attachments, with what the agent has heard in them meanwhile. */
function heard(known: Attachment[] | undefined, saved: Attachment[] | undefined): Attachment[] | undefined {
  if (!known || !saved?.some(({ transcript }) => transcript)) return known ?? saved;
  return known.map((one, at) => ({ ...one, ...(saved[at]?.transcript ? { transcript: saved[at].transcript } : {}) }));
}

/** Whether its bytes are here, or with the server. */
export const canSendAgain = ({ content, uploadId }: Attachment): boolean => Boolean(content ?? uploadId);

export function removeMessage(conversation: Conversation, id: string): Conversation {
  const { [id]: _, ...messages } = conversation.messages;
  return { ...conversation, messages };
}

/** Ends the run of a message that was given up. */
export function failRun(conversation: Conversation, replyTo: string, error: Failure): Conversation {
  const run = conversation.runs[replyTo];
  return run?.state === "streaming" ? withRun(conversation, { ...run, state: "error", error }) : conversation;
}

/** Forgets runs that are nowhere live any more, unless they have moved since. */
export function dropRuns(conversation: Conversation, lost: readonly Run[]): Conversation {
  const runs = Object.fromEntries(Object.entries(conversation.runs).filter(([, run]) => !lost.includes(run)));
  return { ...conversation, runs };
}

export function streamingRuns(conversation: Conversation): Run[] {
  return Object.values(conversation.runs).filter((run) => run.state === "streaming");
}
