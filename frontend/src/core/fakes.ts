/** Hand-written stand-ins for tests: a clock-driven server end of the socket, and frames. */
import type { ChunkFrame, EndFrame, MessageRow } from "../protocol/frames";
import type { SocketLike } from "./socket";

export class FakeSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  sent: Record<string, unknown>[] = [];
  closed = false;

  constructor(readonly url: string) {}

  send(data: string): void {
    this.sent.push(JSON.parse(data) as Record<string, unknown>);
  }
  close(): void {
    this.closed = true;
  }

  /** What the server does. */
  opens(): void {
    this.onopen?.();
  }
  says(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  drops(): void {
    this.onclose?.();
  }

  actions(name: string): Record<string, unknown>[] {
    return this.sent.filter((frame) => frame["action"] === name);
  }
}

export class MemoryStorage {
  readonly map = new Map<string, string>();
  /** Characters that fit, to play a full quota. */
  room = Infinity;

  getItem(key: string): string | null {
    return this.map.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    if (value.length > this.room) throw new Error("QuotaExceededError");
    this.map.set(key, value);
  }
  removeItem(key: string): void {
    this.map.delete(key);
  }
}

export const KEY = { runId: "run-1", conversationId: "main", replyTo: "question1" };

export function chunk(seq: number, content: string, more: Partial<ChunkFrame> = {}): ChunkFrame {
  return { type: "stream_chunk", ...KEY, fromSeq: seq, seq, content, ...more };
}

export function end(seq: number, length: number, more: Partial<EndFrame> = {}): EndFrame {
  return { type: "stream_end", ...KEY, seq, length, messageId: "question1.answer", reason: "final", ...more };
}

export function row(messageId: string, createdAt: number, more: Partial<MessageRow> = {}): MessageRow {
  return { messageId, role: "user", content: `text of ${messageId}`, conversationId: "main", createdAt, ...more };
}

/** Lets promises that are already settled run their continuations. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
}
