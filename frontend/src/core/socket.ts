/**
 * The one WebSocket: opened with a single-use ticket, kept alive against the 10 min idle
 * limit, replaced before the 2 h limit, after sleep, and whenever it goes quiet.
 */
import { backoffMs } from "./backoff";
import { Intent } from "./intent";
import { Presence } from "./presence";

export type SocketState = "connecting" | "open" | "waiting" | "offline" | "stopped";

export interface SocketLike {
  send(data: string): void;
  close(): void;
  onopen: (() => void) | null;
  onclose: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
}

export interface SocketDeps {
  /** A URL with a fresh ticket; rejects when none can be had. */
  url(): Promise<string>;
  open(url: string): SocketLike;
  onState(state: SocketState, retryAt: number | null): void;
  onData(data: unknown): void;
  online(): boolean;
  now(): number;
  random?(): number;
}

/** API Gateway's limit is 2 h. */
const MAX_AGE_MS = 110 * 60_000;
/** API Gateway's idle limit is 10 min. */
const PING_EVERY_MS = 4 * 60_000;
const PONG_WITHIN_MS = 10_000;
const OPEN_WITHIN_MS = 15_000;
const TICK_MS = 5_000;
/** A tick this late means that the machine slept: the connection is dead and does not know it. */
const SLEEP_MS = 45_000;

export class ChatSocket {
  state: SocketState = "stopped";
  readonly presence = new Presence((frame) => this.send(frame), () => this.deps.now());
  readonly intent = new Intent((frame) => this.send(frame), () => this.deps.now());
  /** Hear what comes beside the chat: the console does, while it is open. */
  readonly listeners = new Set<(data: unknown) => void>();
  #socket: SocketLike | null = null;
  #attempt = 0;
  #openedAt = 0;
  #startedAt = 0;
  #lastPing = 0;
  #pongDue: number | null = null;
  #lastTick = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #ticker: ReturnType<typeof setInterval> | undefined;
  /** Counts connections, so that what an abandoned one still says is ignored. */
  #generation = 0;

  constructor(private readonly deps: SocketDeps) {}

  start(): void {
    if (this.state !== "stopped") return;
    this.#lastTick = this.deps.now();
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#connect();
  }

  stop(): void {
    clearInterval(this.#ticker);
    this.#abandon();
    this.#set("stopped");
  }

  /** Sends when open; false means that the caller keeps it. */
  send(frame: object): boolean {
    if (this.state !== "open" || !this.#socket) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** The network came back, the page became visible, or the user asked: do not wait out the back-off. */
  wake(): void {
    if (this.state === "waiting" || this.state === "offline") {
      this.#attempt = 0;
      this.#connect();
    } else if (this.state === "open" && this.#pongDue === null) {
      this.#ping();
    }
  }

  /** The browser says that there is no network: waiting for a dead socket to notice helps nobody. */
  offline(): void {
    if (this.state === "stopped") return;
    this.#abandon();
    this.#set("offline");
  }

  #connect(): void {
    this.#abandon();
    if (!this.deps.online()) return this.#set("offline");
    const generation = this.#generation;
    this.#startedAt = this.deps.now();
    this.#set("connecting");
    this.deps.url().then(
      (url) => generation === this.#generation && this.#open(url, generation),
      () => generation === this.#generation && this.#backOff(),
    );
  }

  #open(url: string, generation: number): void {
    const socket = this.deps.open(url);
    this.#socket = socket;
    const current = () => generation === this.#generation;
    socket.onopen = () => {
      if (!current()) return;
      this.#attempt = 0;
      this.#openedAt = this.#lastPing = this.deps.now();
      this.#set("open");
      this.presence.connected();
      this.intent.connected();
    };
    socket.onmessage = (event) => {
      if (!current()) return;
      this.#pongDue = null;
      this.deps.onData(event.data);
      for (const heard of this.listeners) heard(event.data);
    };
    socket.onclose = () => current() && this.#backOff();
  }

  #backOff(): void {
    this.#abandon();
    if (!this.deps.online()) return this.#set("offline");
    const wait = backoffMs(this.#attempt, this.deps.random);
    this.#attempt += 1;
    this.#retry = setTimeout(() => this.#connect(), wait);
    this.#set("waiting", this.deps.now() + wait);
  }

  #abandon(): void {
    this.#generation += 1;
    clearTimeout(this.#retry);
    this.#pongDue = null;
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onclose = socket.onmessage = null;
    socket.close();
  }

  #ping(): void {
    this.#lastPing = this.deps.now();
    this.#pongDue = this.#lastPing + PONG_WITHIN_MS;
    this.send({ action: "ping" });
  }

  #tick(): void {
    const now = this.deps.now();
    const slept = now - this.#lastTick > SLEEP_MS;
    this.#lastTick = now;
    if (this.state === "connecting" && now - this.#startedAt > OPEN_WITHIN_MS) return this.#backOff();
    if (this.state !== "open") return;
    this.presence.tick();
    const silent = this.#pongDue !== null && now > this.#pongDue;
    if (slept || silent || now - this.#openedAt > MAX_AGE_MS) return this.#connect();
    if (now - this.#lastPing >= PING_EVERY_MS) this.#ping();
  }

  #set(state: SocketState, retryAt: number | null = null): void {
    this.state = state;
    this.deps.onState(state, retryAt);
  }
}
