/** Gets every entry of the outbox to the server: by socket, or by REST when too large for a frame. */
import type { ClientFrame, Failure, OutgoingMessage } from "../protocol/frames";
import { MAX_FRAME_BYTES } from "../protocol/frames";
import { frameBytes } from "../protocol/parse";
import type { Outbox, OutboxEntry } from "./outbox";

export interface SenderDeps {
  outbox: Outbox;
  send(frame: ClientFrame): boolean;
  post(message: OutgoingMessage): Promise<unknown>;
  /** With an error when the message is in the queue, but nothing answers it yet. */
  accepted(id: string, error?: Failure): void;
  refused(id: string, error: Failure): void;
  now(): number;
}

/** An unacknowledged message is sent again, under its own id, after this long. */
export const RESEND_MS = 10_000;
/** Codes after which the message has its place in the queue. */
const QUEUED = new Set(["START_FAILED", "CAPACITY"]);
/** Codes after which it is to be sent again. */
const TRANSIENT = new Set(["RATE_LIMITED", "INTERNAL", "UNAUTHORIZED", "OFFLINE"]);

export const isQueued = (code: string): boolean => QUEUED.has(code);
export const isTransient = (code: string): boolean => TRANSIENT.has(code);

interface Try {
  at: number;
  /** As far as is known the server does not have it. */
  failed: boolean;
}

export class Sender {
  #tries = new Map<string, Try>();
  #busy = false;

  constructor(private readonly deps: SenderDeps) {}

  /** A new connection knows nothing of what was sent on the old one. */
  reconnected(): Promise<void> {
    this.#tries.clear();
    return this.flush();
  }

  /** The server did not take a message: it goes again in a while, and those after it wait. */
  notTaken(id: string): void {
    this.#tries.set(id, { at: this.deps.now(), failed: true });
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
    const next = this.deps.outbox.entries.find(({ id }) => {
      const last = this.#tries.get(id);
      return !last || last.failed || last.at <= due;
    });
    const last = next && this.#tries.get(next.id);
    return last && last.at > due ? undefined : next;
  }

  async #deliver(entry: OutboxEntry): Promise<boolean> {
    const { createdAt: _, ...message } = entry;
    const frame: ClientFrame = { action: "sendMessage", ...message };
    if (frameBytes(frame) <= MAX_FRAME_BYTES) {
      if (!this.deps.send(frame)) return false;
      this.#tries.set(entry.id, { at: this.deps.now(), failed: false });
      return true;
    }
    try {
      await this.deps.post(message);
      this.deps.accepted(entry.id);
      return true;
    } catch (error) {
      const { code = "OFFLINE", message: text = "" } = error as { code?: string; message?: string };
      if (isTransient(code)) {
        this.notTaken(entry.id);
        return false;
      }
      if (isQueued(code)) this.deps.accepted(entry.id, { code, message: text });
      else this.deps.refused(entry.id, { code, message: text });
      return true;
    }
  }
}
