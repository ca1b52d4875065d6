/**
 * Carries the WebSockets of OpenClaw's Control UI over the chat's socket: cut into pieces that fit a frame and numbered,
 * as in chalicelib/wire/console.py.
 */
import type { ConsoleFrame } from "../protocol/frames";
import type { FromFrame, FromPage } from "../sandbox/console/messages";

/** Bytes of a piece as JSON. A frame may have 32 KB. */
const PIECE_BYTES = 24_000;
/** How often the agent hears that somebody works in it. */
const USED_EVERY_MS = 60_000;
const LOST = 1006;
const encoder = new TextEncoder();
const size = (text: string) => encoder.encode(JSON.stringify(text)).length;

export class ConsoleTunnels {
  readonly #sent = new Map<string, number>();
  readonly #heard = new Map<string, { seq: number; parts: string[] }>();
  #usedAt = -Infinity;
  #later: ReturnType<typeof setTimeout> | undefined;

  /** `send`: to the server, false when there is no connection. `show`: to the frame. */
  constructor(
    private readonly send: (frame: object) => boolean, private readonly show: (message: FromPage) => void,
    private readonly now: () => number,
  ) {}

  fromFrame(message: FromFrame): void {
    if (message.console === "used") return this.#used();
    const { tunnel } = message;
    if (message.console === "send") this.#pass(tunnel, message.data);
    else if (message.console === "open") {
      this.#sent.set(tunnel, 0);
      this.#heard.set(tunnel, { seq: 0, parts: [] });
      if (!this.#say(tunnel, "open")) this.#lose(tunnel);
    } else {
      this.#forget(tunnel);
      this.#say(tunnel, "close");
    }
  }

  fromServer(frame: ConsoleFrame): void {
    const { tunnel } = frame;
    const heard = this.#heard.get(tunnel);
    if (!heard) return;
    if (frame.kind === "close") {
      this.#forget(tunnel);
      return this.show({ console: "closed", tunnel, code: frame.code ?? LOST, reason: frame.reason ?? "" });
    }
    if (frame.seq <= heard.seq) return;
    if (frame.seq !== heard.seq + 1) {
      this.#say(tunnel, "close");
      return this.#lose(tunnel);
    }
    heard.seq = frame.seq;
    heard.parts.push(frame.data);
    if (frame.more) return;
    this.show({ console: "message", tunnel, data: heard.parts.join("") });
    heard.parts = [];
  }

  /** The chat's socket was lost: the agent knows this tab by another name after that. */
  lost(): void {
    for (const tunnel of [...this.#heard.keys()]) this.#lose(tunnel);
  }

  /** The frame goes away. */
  close(): void {
    if (this.#later !== undefined) this.#tellUsed();
    for (const tunnel of [...this.#heard.keys()]) this.#say(tunnel, "close");
    this.#heard.clear();
    this.#sent.clear();
  }

  #pass(tunnel: string, data: string): void {
    if (!this.#heard.has(tunnel)) return;
    const parts = pieces(data);
    for (const [index, piece] of parts.entries()) {
      const seq = (this.#sent.get(tunnel) ?? 0) + 1;
      this.#sent.set(tunnel, seq);
      const more = index < parts.length - 1;
      if (!this.send({ action: "console", kind: "data", tunnel, seq, more, data: piece })) return this.#lose(tunnel);
    }
  }

  #used(): void {
    if (!this.#heard.size || this.#later !== undefined) return;
    // What is done within the minute is told at its end: the agent saves then.
    const wait = this.#usedAt + USED_EVERY_MS - this.now();
    if (wait > 0) this.#later = setTimeout(() => this.#tellUsed(), wait);
    else this.#tellUsed();
  }

  #tellUsed(): void {
    clearTimeout(this.#later);
    this.#later = undefined;
    this.#usedAt = this.now();
    const [tunnel] = this.#heard.keys();
    if (tunnel) this.#say(tunnel, "used");
  }

  #say(tunnel: string, kind: "open" | "close" | "used"): boolean {
    return this.send({ action: "console", kind, tunnel });
  }

  #lose(tunnel: string): void {
    this.#forget(tunnel);
    this.show({ console: "closed", tunnel, code: LOST, reason: "" });
  }

  #forget(tunnel: string): void {
    this.#heard.delete(tunnel);
    this.#sent.delete(tunnel);
  }
}

/** A frame for the console, or null for any other. */
export function readConsole(data: unknown): ConsoleFrame | null {
  if (typeof data !== "string" || !data.includes('"console"')) return null;
  let frame: Record<string, unknown>;
  try {
    frame = JSON.parse(data) as Record<string, unknown>;
  } catch {
    return null;
  }
  const { type, tunnel, kind } = frame;
  if (type !== "console" || typeof tunnel !== "string") return null;
  const piece = kind === "data" && typeof frame["seq"] === "number" && typeof frame["data"] === "string";
  return piece || kind === "close" ? (frame as unknown as ConsoleFrame) : null;
}

/** Pieces that fit a frame, never inside a character; at least one. */
export function pieces(text: string, limit = PIECE_BYTES): string[] {
  if (size(text) <= limit) return [text];
  const found: string[] = [];
  let part = "", bytes = 2;
  for (const character of text) {
    const more = size(character) - 2;
    if (bytes + more > limit) {
      found.push(part);
      part = "";
      bytes = 2;
    }
    part += character;
    bytes += more;
  }
  return [...found, part];
}
