/**
 * The first script of OpenClaw's Control UI, in a frame without an origin: it has no storage of its own and no network
 * but its files. Its storage lives as long as the frame. Its WebSockets go to the page around it by messages, which
 * carries them over the chat's own socket.
 */
import { IDBFactory, IDBKeyRange } from "fake-indexeddb";
import { carry, gatewayPath, isCarried, lost, takes } from "./fetched";
import { CLOSED, isFromPage, type FromFrame } from "./messages";
import { carryPictures } from "./pictures";

class Memory implements Storage {
  readonly #items = new Map<string, string>();
  get length(): number { return this.#items.size; }
  clear(): void { this.#items.clear(); }
  getItem(key: string): string | null { return this.#items.get(String(key)) ?? null; }
  key(index: number): string | null { return [...this.#items.keys()][index] ?? null; }
  removeItem(key: string): void { this.#items.delete(String(key)); }
  setItem(key: string, value: string): void { this.#items.set(String(key), String(value)); }
  names(): string[] { return [...this.#items.keys()]; }
}

/** A Storage whose keys can be listed like an object's own. */
function storage(): Storage {
  const memory = new Memory();
  return new Proxy(memory, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
    ownKeys: (target) => target.names(),
    getOwnPropertyDescriptor: (target, name) => {
      const value = typeof name === "string" ? target.getItem(name) : null;
      return value === null ? undefined : { value, configurable: true, enumerable: true, writable: true };
    },
  });
}

const say = (message: FromFrame) => parent.postMessage(message, "*");
const open = new Map<string, Tunnel>();

class Tunnel extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  readonly bufferedAmount = 0;
  readonly protocol = "";
  readonly extensions = "";
  binaryType = "blob";
  readyState = 0;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  /** Whether the page has sent its `connect`: only then may other things follow. */
  begun = false;
  readonly #id = crypto.randomUUID();

  constructor(readonly url: string) {
    super();
    open.set(this.#id, this);
    say({ console: "open", tunnel: this.#id });
    // The gateway speaks first, so nothing is lost by calling it open before the page says so.
    queueMicrotask(() => {
      this.readyState = this.OPEN;
      this.#tell(new Event("open"), this.onopen);
    });
  }

  send(data: string): void {
    if (this.readyState !== this.OPEN) return;
    this.begun = true;
    say({ console: "send", tunnel: this.#id, data });
  }

  close(code = 1000, reason = ""): void {
    say({ console: "close", tunnel: this.#id });
    queueMicrotask(() => this.ended(code, reason));
  }

  heard(data: string): void {
    if (takes(data)) return;
    this.#tell(new MessageEvent("message", { data }), this.onmessage);
  }

  ended(code: number, reason: string): void {
    if (this.readyState === this.CLOSED) return;
    this.readyState = this.CLOSED;
    open.delete(this.#id);
    lost(this);
    this.#tell(new CloseEvent("close", { code, reason, wasClean: true }), this.onclose);
  }

  #tell<E extends Event>(event: E, handler: ((event: E) => void) | null): void {
    this.dispatchEvent(event);
    handler?.call(this, event);
  }
}

addEventListener("message", ({ source, data }: MessageEvent<unknown>) => {
  if (source !== parent || !isFromPage(data)) return;
  const tunnel = open.get(data.tunnel);
  if (data.console === "message") tunnel?.heard(data.data);
  else tunnel?.ended(data.code ?? CLOSED, data.reason ?? "");
});

const set = (object: object, name: string, value: unknown) => Object.defineProperty(object, name, { value, configurable: true });
for (const name of ["localStorage", "sessionStorage"]) set(window, name, storage());
set(window, "indexedDB", new IDBFactory());
set(window, "IDBKeyRange", IDBKeyRange);
set(window, "WebSocket", Tunnel);

/** One frame has no other tab to wait for. */
const locks = {
  request: async (name: string, options: unknown, work: unknown) => {
    const job = (typeof options === "function" ? options : work) as (lock: object) => unknown;
    return job({ name, mode: "exclusive" });
  },
  query: async () => ({ held: [], pending: [] }),
};
set(navigator, "locks", locks);
// A frame without an origin may have none, and asking for the real one throws.
const workers = Object.assign(new EventTarget(), {
  controller: null, ready: new Promise(() => undefined),
  register: () => Promise.reject(new Error("no service worker here")), getRegistration: async () => undefined, getRegistrations: async () => [],
});
set(navigator, "serviceWorker", workers);

const fetched = window.fetch.bind(window);
window.fetch = (input, init) => {
  const path = gatewayPath(new URL(input instanceof Request ? input.url : String(input), document.baseURI));
  if (path === null) return fetched(input, init);
  const request = new Request(input instanceof Request ? input : new URL(String(input), document.baseURI), init);
  const tunnel = [...open.values()].find(({ begun }) => begun);
  if (!tunnel || request.method !== "GET" || !isCarried(path)) return Promise.resolve(new Response(null, { status: 404 }));
  return carry(path, request, tunnel, (data) => tunnel.send(data));
};
carryPictures();
for (const name of ["pointerdown", "keydown"]) addEventListener(name, () => say({ console: "used" }), { passive: true, capture: true });
history.replaceState(null, "", "/console/chat");
