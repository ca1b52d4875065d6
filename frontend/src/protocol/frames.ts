/** The wire contract of docs/protocol.md, as types. */

export type Phase = "queued" | "starting" | "booting" | "restoring" | "ready";
export type AgentState = "Idle" | "Starting" | "Running" | "Stopping";
/** "steered": taken into the answer that was being written in its conversation. */
export type EndReason = "final" | "aborted" | "error" | "steered";
/** "proactive": the agent says it by itself; it answers nothing. */
export type RowReason = EndReason | "proactive";

export interface Attachment {
  mimeType: string;
  fileName: string;
  /** Base64; absent in what the server tells back. */
  content?: string;
}

/** A file that the agent gives; it is fetched by its id. */
export interface GivenFile {
  id: string;
  name: string;
  mimeType: string;
  sizeBytes: number;
  voice?: boolean;
}

export interface Failure { code: string; message: string }

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
export interface ChunkFrame extends RunKey { type: "stream_chunk"; fromSeq: number; seq: number; content: string }
export interface EndFrame extends RunKey {
  type: "stream_end";
  seq: number;
  messageId: string;
  reason: EndReason;
  length: number;
  error?: Failure;
  files?: GivenFile[];
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
export interface PongFrame { type: "pong" }

export type ServerFrame =
  | AckFrame | StatusFrame | ActivityFrame | ChunkFrame | EndFrame | MessageFrame
  | HistoryFrame | ConversationFrame | LinkFrame | NoticeFrame | AutomationsFrame | MemoryFrame | ErrorFrame | PongFrame;

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
  | { action: "getStatus" }
  | { action: "resume"; runId?: string; lastSeq?: number; conversationId?: string }
  | { action: "ping" };

/** API Gateway closes a connection on a frame over 32,768 bytes; larger messages go by REST. */
export const MAX_FRAME_BYTES = 32_000;
export const MAX_TEXT_LENGTH = 32_000;
export const MAX_ATTACHMENTS = 4;
export const DEFAULT_CONVERSATION = "main";

const ANSWER = ".answer";
export const answerId = (messageId: string): string => messageId + ANSWER;
export const questionOf = (answer: string): string => answer.slice(0, -ANSWER.length);
