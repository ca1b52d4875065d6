/** Whether this browser is told by Web Push what the agent says; knows nothing of React or of the DOM. */
import type { KeyValue } from "./outbox";

export interface PushKeys { endpoint: string; keys: { p256dh: string; auth: string } }
export interface Subscription {
  endpoint: string;
  options: { applicationServerKey: ArrayBuffer | null };
  toJSON(): { keys?: Record<string, string> };
  unsubscribe(): Promise<boolean>;
}
/** What a browser offers; `ask` may be called only on a click. */
export interface PushBrowser {
  permission(): "default" | "denied" | "granted";
  ask(): Promise<"default" | "denied" | "granted">;
  current(): Promise<Subscription | null>;
  subscribe(key: Uint8Array): Promise<Subscription>;
}
export interface PushServer {
  addDevice(device: PushKeys & { name: string; language: string }): Promise<{ id: string }>;
  removeDevice(id: string): Promise<unknown>;
}
export interface PushDeps {
  /** null: the browser has no Web Push, or the deployment no key. */
  browser: PushBrowser | null;
  server: PushServer;
  key: string | null;
  storage: KeyValue;
  account: string;
  name: string;
  language(): string;
}

export type PushState = "unsupported" | "blocked" | "off" | "on";
interface Kept { id: string; endpoint: string }

export class PushRefused extends Error {}

export class PushDevice {
  readonly #slot: string;

  constructor(private readonly deps: PushDeps) {
    this.#slot = `push.${deps.account}`;
  }

  /** The id of this browser among the user's devices, if it is one. */
  get id(): string | null {
    return this.#kept()?.id ?? null;
  }

  /** `known`: the ids of the user's devices, as the server has them. */
  async state(known: readonly string[]): Promise<PushState> {
    const { browser } = this.deps;
    if (!browser || !this.deps.key) return "unsupported";
    if (browser.permission() === "denied") return "blocked";
    const kept = this.#kept();
    const current = kept && known.includes(kept.id) ? await browser.current() : null;
    return current && current.endpoint === kept?.endpoint ? "on" : "off";
  }

  /** Asks for permission, so it needs a click. Rejects with PushRefused when it is not given. */
  async turnOn(): Promise<void> {
    const { browser } = this.deps;
    if (!browser || (await browser.ask()) !== "granted") throw new PushRefused();
    await this.#subscribe(browser);
  }

  async turnOff(): Promise<void> {
    const kept = this.#kept();
    this.deps.storage.removeItem(this.#slot);
    await (await this.deps.browser?.current())?.unsubscribe();
    if (kept) await this.#forget(kept.id);
  }

  /** When the page opens: a subscription that the browser or the deployment has replaced is made anew. Asks nothing. */
  async renew(): Promise<void> {
    const { browser, key } = this.deps;
    const kept = this.#kept();
    if (!browser || !key || !kept) return;
    if (browser.permission() !== "granted") return this.turnOff();
    const current = await browser.current();
    if (current?.endpoint === kept.endpoint && encode(current.options.applicationServerKey) === key) return;
    await this.#forget(kept.id); // first: there may be no room for one more
    await this.#subscribe(browser);
  }

  /** Always a new address: an account that used this browser before must not reach it any more. */
  async #subscribe(browser: PushBrowser): Promise<void> {
    await (await browser.current())?.unsubscribe();
    const made = await browser.subscribe(decode(this.deps.key ?? ""));
    const { p256dh = "", auth = "" } = made.toJSON().keys ?? {};
    const { name, server } = this.deps;
    try {
      const { id } = await server.addDevice({ endpoint: made.endpoint, keys: { p256dh, auth }, name, language: this.deps.language() });
      this.deps.storage.setItem(this.#slot, JSON.stringify({ id, endpoint: made.endpoint } satisfies Kept));
    } catch (error) {
      await made.unsubscribe();
      throw error;
    }
  }

  async #forget(id: string): Promise<void> {
    await this.deps.server.removeDevice(id).catch((error: { code?: string }) => {
      if (error.code !== "NOT_FOUND") throw error;
    });
  }

  #kept(): Kept | null {
    try {
      const value: unknown = JSON.parse(this.deps.storage.getItem(this.#slot) ?? "null");
      return value && typeof value === "object" && "id" in value && "endpoint" in value ? (value as Kept) : null;
    } catch {
      return null;
    }
  }
}

function decode(text: string): Uint8Array {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function encode(raw: ArrayBuffer | null): string {
  const binary = raw ? String.fromCharCode(...new Uint8Array(raw)) : "";
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const BROWSERS: [RegExp, string][] = [
  [/Edg/, "Edge"], [/OPR\//, "Opera"], [/SamsungBrowser/, "Samsung Internet"], [/Firefox|FxiOS/, "Firefox"], [/Chrome|CriOS/, "Chrome"], [/Safari/, "Safari"],
];
const SYSTEMS: [RegExp, string][] = [
  [/Android/, "Android"], [/iPhone/, "iPhone"], [/iPad/, "iPad"], [/Windows/, "Windows"], [/Mac OS/, "macOS"], [/CrOS/, "ChromeOS"], [/Linux/, "Linux"],
];

/** "Chrome on Android": enough for a person to tell their devices apart. */
export function deviceName(agent: string): string {
  const find = (names: [RegExp, string][]) => names.find(([pattern]) => pattern.test(agent))?.[1];
  const browser = find(BROWSERS) ?? "Browser";
  const system = find(SYSTEMS);
  return system ? `${browser} on ${system}` : browser;
}
