/** Gets every entry of the outbox to the server: by socket, or by REST when too large for a frame. */
import type { ClientFrame, OutgoingMessage } from "../protocol/frames";
import { MAX_FRAME_BYTES } from "../protocol/frames";
import { frameBytes } from "../protocol/parse";
import type { Outbox, OutboxEntry } from "./outbox";

export interface SenderDeps {
  outbox: Outbox;
  send(frame: ClientFrame): boolean;
  post(message: OutgoingMessage): Promise<unknown>;
  accepted(id: string): void;
  refused(id: string, error: { code: string; message: string }): void;
  now(): number;
}

/** An unacknowledged message is sent again, under its own id, after this long. */
export const RESEND_MS = 10_000;
/** Codes after which the message still has its place in the queue. */
const TRANSIENT = new Set([
  "START_FAILED", "CAPACITY", "RATE_LIMITED", "INTERNAL", "UNAUTHORIZED", "OFFLINE",
]);

export const isTransient = (code: string): boolean => TRANSIENT.has(code);

export class Sender {
  #sentAt = new Map<string, number>();
  #busy = false;

  constructor(private readonly deps: SenderDeps) {}

  /** A new connection knows nothing of what was sent on the old one. */
  reconnected(): Promise<void> {
    this.#sentAt.clear();
    return this.flush();
  }

  /** Sends what is due, in order: a large message by REST holds back those after it. */
  async flush(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let entry = this.#nextDue(); entry; entry = this.#nextDue()) {
        if (!(await this.#deliver(entry))) return;
      }
    } finally {
      this.#busy = false;
    }
  }

  #nextDue(): OutboxEntry | undefined {
    const due = this.deps.now() - RESEND_MS;
    return this.deps.outbox.entries.find((entry) => (this.#sentAt.get(entry.id) ?? -Infinity) <= due);
  }

  async #deliver(entry: OutboxEntry): Promise<boolean> {
    const { createdAt: _, ...message } = entry;
    const frame: ClientFrame = { action: "sendMessage", ...message };
    if (frameBytes(frame) <= MAX_FRAME_BYTES) {
      if (!this.deps.send(frame)) return false;
      this.#sentAt.set(entry.id, this.deps.now());
      return true;
    }
    this.#sentAt.set(entry.id, this.deps.now());
    try {
      await this.deps.post(message);
      this.deps.accepted(entry.id);
      return true;
    } catch (error) {
      const { code = "OFFLINE", message: text = "" } = error as { code?: string; message?: string };
      if (isTransient(code)) return false;
      this.deps.refused(entry.id, { code, message: text });
      return true;
    }
  }
}
