import type { ServerFrame } from "./frames";

type Check = "string" | "number" | "object";

/** The fields without which a frame cannot be used. Optional fields are left to their readers. */
const SHAPES: Record<ServerFrame["type"], Record<string, Check>> = {
  ack: { id: "string" },
  status: { status: "string" },
  activity: { runId: "string", replyTo: "string", conversationId: "string", kind: "string" },
  thinking: { runId: "string", replyTo: "string", conversationId: "string", text: "string" },
  card: { runId: "string", replyTo: "string", conversationId: "string" },
  work: { runId: "string", replyTo: "string", conversationId: "string", step: "object" },
  first_words: { replyTo: "string", conversationId: "string", text: "string" },
  stream_chunk: {
    runId: "string", replyTo: "string", conversationId: "string",
    fromSeq: "number", seq: "number", content: "string",
  },
  stream_end: { runId: "string", replyTo: "string", conversationId: "string", seq: "number", reason: "string" },
  message: { messageId: "string", role: "string", content: "string", conversationId: "string" },
  history: { conversationId: "string", messages: "object" },
  conversation: { conversationId: "string" },
  link: { status: "string" },
  notice: { code: "string", message: "string" },
  error: { code: "string", message: "string" },
  automations: {},
  memory: {},
  saved: {},
  pong: {},
};

/** One server frame, or null for anything unknown: a newer server must not break an older page. */
export function parseFrame(data: unknown): ServerFrame | null {
  if (typeof data !== "string") return null;
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const raw = value as Record<string, unknown>;
  const type = raw["type"];
  if (typeof type !== "string" || !Object.hasOwn(SHAPES, type)) return null;
  const shape = SHAPES[type as ServerFrame["type"]];
  for (const [key, kind] of Object.entries(shape)) {
    if (typeof raw[key] !== kind || raw[key] === null) return null;
  }
  return raw as unknown as ServerFrame;
}

/** Size of a message on the wire, in bytes. */
export function frameBytes(frame: object): number {
  return new TextEncoder().encode(JSON.stringify(frame)).length;
}
