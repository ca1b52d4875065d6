/** The wire contract of docs/protocol.md, as types. */

export type Phase = "queued" | "starting" | "booting" | "restoring" | "ready";
export type AgentState = "Idle" | "Starting" | "Running" | "Stopping";
/** "steered": taken into the answer that was being written in its conversation. */
export type EndReason = "final" | "aborted" | "error" | "steered";
/** "proactive": the agent says it by itself; it answers nothing. "question": it asks, and waits. */
export type RowReason = EndReason | "proactive" | "question";

export interface Attachment {
  mimeType: string;
  fileName: string;
  /** A picture in base64; absent in what the server tells back. */
  content?: string;
  /** Of a file that was uploaded before; the server keeps it for a week. */
  uploadId?: string;
  bytes?: number;
  /** The person's own voice, and not some recording. */
  voice?: boolean;
  /** What is said in it, once the agent has heard it. */
  transcript?: string;
}

/** A file that the agent gives; it is fetched by its id. */
export interface GivenFile {
  id: string;
  name: string;
  mimeType: string;
  sizeBytes: number;
  voice?: boolean;
}
/** One of the 1 to 3 things that are asked at once. */
export interface QuestionPart {
  id: string;
  header: string;
  text: string;
  options: { label: string; description?: string }[];
  multi: boolean;
  /** Whether one's own words are an answer. */
  other: boolean;
}
/** A question of the agent, or an approval: then the command is there, and the labels are decisions. */
export interface Question {
  id: string;
  kind: "question" | "approval";
  state: "open" | "chosen" | "answered" | "cancelled" | "expired" | "gone";
  expiresAt: number;
  parts: QuestionPart[];
  answers?: Record<string, string[]>;
  /** Where it was answered: "web", "telegram", "text" (a written reply) or "elsewhere". */
  by?: string;
  command?: string;
  directory?: string;
  warning?: string;
}

export interface Failure { code: string; message: string }

/** What a model without tools said to a question while the agent was waking up; the agent's answer begins with it. */
export interface FirstWords { text: string; ended: boolean }

export interface RunKey {
  runId: string;
  conversationId: string;
  replyTo: string;
}

export interface AckFrame { type: "ack"; id: string; conversationId: string; duplicate?: boolean }
export interface StatusFrame {
  type: "status";
  status: AgentState;
  phase?: Phase;
  etaSeconds?: number;
  startedAt?: number;
  /** The turns that run, at most one in a conversation. */
  activeRuns?: RunKey[];
}
export interface ActivityFrame extends RunKey {
  type: "activity";
  kind: "thinking" | "tool";
  name?: string;
  state?: "start" | "end";
}
/** A tool call of an answer. Arguments and result are cut to what a person wants to see. */
export interface WorkStep {
  id: string;
  name: string;
  state: "running" | "done" | "failed";
  arguments: string;
  result?: string;
  seconds?: number;
}
/** What the model thought, where its provider shows that: cut when it is long, and a part may be missing. */
export interface Thinking { text: string; cut?: boolean; hidden?: boolean }
/** What the model thinks now: the end of it. It replaces what was told before. */
export interface ThinkingFrame extends RunKey { type: "thinking"; text: string }
/** How far the agent is with a task of several steps, in its own words. */
export interface ProgressCard {
  steps?: { text: string; state: "pending" | "running" | "done" }[];
  /** Markdown. */
  note?: string;
  bar?: { label: string; value: number; max: number };
}
/** The card has changed, or is gone. */
export interface CardFrame extends RunKey { type: "card"; card: ProgressCard | null }
/** A tool call has begun or ended. */
export interface WorkFrame extends RunKey { type: "work"; step: WorkStep }
/** All of the first words so far. */
export interface FirstWordsFrame extends FirstWords { type: "first_words"; conversationId: string; replyTo: string }
export interface ChunkFrame extends RunKey { type: "stream_chunk"; fromSeq: number; seq: number; content: string }
export interface EndFrame extends RunKey {
  type: "stream_end";
  seq: number;
  messageId: string;
  reason: EndReason;
  length: number;
  error?: Failure;
  files?: GivenFile[];
  model?: string;
  costUsd?: number;
  thinking?: Thinking;
  card?: ProgressCard;
}
export interface MessageRow {
  messageId: string;
  role: "user" | "assistant";
  content: string;
  conversationId: string;
  createdAt: number;
  replyTo?: string;
  reason?: RowReason;
  /** Why the agent speaks ("Reminder: water the plants"), or which program sent this ("Hook: GitHub"). */
  cause?: string;
  /** Why an answer failed. */
  error?: Failure;
  attachments?: Attachment[];
  files?: GivenFile[];
  /** What the agent did for the answer, the model that wrote it (provider/model), and what its calls cost. */
  work?: WorkStep[];
  model?: string;
  costUsd?: number;
  thinking?: Thinking;
  card?: ProgressCard;
  /** Of a question that waits for its agent. */
  firstWords?: FirstWords;
  /** Of a row with the reason "question". A later row with the same id takes its place. */
  question?: Question;
}
export interface MessageFrame extends MessageRow { type: "message" }
export interface HistoryFrame {
  type: "history";
  conversationId: string;
  messages: MessageRow[];
  before: string | null;
}
export interface ConversationFrame {
  type: "conversation";
  conversationId: string;
  title: string;
  updatedAt: number;
  preview?: string;
  model?: string;
  pinned?: boolean;
  folder?: string;
  deleted?: boolean;
}
export interface LinkFrame { type: "link"; status: "linked" | "unlinked"; telegramName?: string }
export interface ErrorFrame extends Failure {
  type: "error";
  id?: string;
  /** Of a RUN_UNKNOWN: what was asked for. */
  runId?: string;
  conversationId?: string;
}
/** Something worth knowing that is no error of any message. */
export interface NoticeFrame {
  type: "notice";
  code: string;
  message: string;
  usd?: number;
  limitUsd?: number;
}
/** The list of automations has changed. */
export interface AutomationsFrame { type: "automations" }
/** A restore, an export or an import has ended. */
export interface MemoryFrame { type: "memory" }
/** The agent's memory has been saved, and its workspace with it. */
export interface SavedFrame { type: "saved" }
/** A piece of what the gateway says to OpenClaw's Control UI, or the end of a tunnel. Read by the console alone. */
export type ConsoleFrame =
  | { type: "console"; kind: "data"; tunnel: string; seq: number; more: boolean; data: string }
  | { type: "console"; kind: "close"; tunnel: string; code?: number; reason?: string };
export interface PongFrame { type: "pong" }

export type ServerFrame =
  | AckFrame | StatusFrame | ActivityFrame | CardFrame | ThinkingFrame | WorkFrame | FirstWordsFrame | ChunkFrame | EndFrame | MessageFrame
  | HistoryFrame | ConversationFrame | LinkFrame | NoticeFrame | AutomationsFrame | MemoryFrame | SavedFrame | ErrorFrame | PongFrame;

export interface OutgoingMessage {
  id: string;
  text: string;
  conversationId: string;
  attachments?: Attachment[];
}

export type ClientFrame =
  | ({ action: "sendMessage" } & OutgoingMessage)
  | { action: "stop"; runId?: string; conversationId?: string }
  | { action: "steer"; id: string; conversationId: string }
  | { action: "answer"; questionId: string; answers: Record<string, string[]> }
  | { action: "answer"; questionId: string; cancel: true }
  | { action: "getStatus" }
  | { action: "resume"; runId?: string; lastSeq?: number; conversationId?: string }
  | { action: "visible"; visible: boolean }
  | { action: "ping" };

/** API Gateway closes a connection on a frame over 32,768 bytes; larger messages go by REST. */
export const MAX_FRAME_BYTES = 32_000;
export const MAX_TEXT_LENGTH = 32_000;
export const MAX_ATTACHMENTS = 4;
export const DEFAULT_CONVERSATION = "main";

const ANSWER = ".answer";
export const answerId = (messageId: string): string => messageId + ANSWER;
export const questionOf = (answer: string): string => answer.slice(0, -ANSWER.length);
