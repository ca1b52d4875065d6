import { beforeEach, describe, expect, it } from "vitest";
import { MemoryStorage } from "./fakes";
import { deviceName, PushDevice, PushRefused, type PushBrowser, type Subscription } from "./push";

const KEY = "BAE";
let storage: MemoryStorage;
let permission: "default" | "denied" | "granted";
let answers: "denied" | "granted";
let current: (Subscription & { key: string }) | null;
let rows: Map<string, string>;
let made: number;
let fails: boolean;

const raw = (key: string) => Uint8Array.from(atob(key), (one) => one.charCodeAt(0)).buffer;
const browser: PushBrowser = {
  permission: () => permission,
  ask: async () => (permission = answers),
  current: async () => current,
  subscribe: async (key) => {
    made += 1;
    const text = btoa(String.fromCharCode(...key));
    current = {
      endpoint: `https://push.example/${made}`, key: text, options: { applicationServerKey: raw(text) },
      toJSON: () => ({ keys: { p256dh: "p", auth: "a" } }),
      unsubscribe: async () => { current = null; return true; },
    };
    return current;
  },
};
const server = {
  addDevice: async ({ endpoint }: { endpoint: string }) => {
    if (fails) throw new Error("offline");
    if (rows.size >= 10) throw new Error("too many devices");
    const id = `id-${endpoint.at(-1)}`;
    rows.set(id, endpoint);
    return { id };
  },
  removeDevice: async (id: string) => {
    if (!rows.delete(id)) throw Object.assign(new Error("none"), { code: "NOT_FOUND" });
  },
};
const device = (account = "ada", key: string | null = KEY, own: PushBrowser | null = browser) =>
  new PushDevice({ browser: own, server, key, storage, account, name: "Phone", language: () => "en" });
const state = (push: PushDevice) => push.state([...rows.keys()]);

beforeEach(() => {
  storage = new MemoryStorage();
  [permission, answers, current, made, fails] = ["default", "granted", null, 0, false];
  rows = new Map();
});

describe("a device that shows notifications", () => {
  it("is offered nothing without Web Push or without a key", async () => {
    expect(await state(device("ada", KEY, null))).toBe("unsupported");
    expect(await state(device("ada", null))).toBe("unsupported");
    expect(await state(device())).toBe("off");
  });

  it("is turned on and off", async () => {
    const push = device();
    await push.turnOn();
    expect(await state(push)).toBe("on");
    expect([...rows]).toEqual([[push.id, "https://push.example/1"]]);
    expect(await state(device())).toBe("on");
    await push.turnOff();
    expect(await state(push)).toBe("off");
    expect([rows.size, current]).toEqual([0, null]);
  });

  it("asks only when it is turned on, and says when the browser refuses", async () => {
    answers = "denied";
    const push = device();
    await push.renew();
    expect(permission).toBe("default");
    await expect(push.turnOn()).rejects.toThrow(PushRefused);
    expect(await state(push)).toBe("blocked");
    expect(made).toBe(0);
  });

  it("leaves no half subscription when the server does not take it", async () => {
    fails = true;
    await expect(device().turnOn()).rejects.toThrow("offline");
    expect([current, storage.map.size]).toEqual([null, 0]);
  });

  it("is off after it was removed elsewhere", async () => {
    const push = device();
    await push.turnOn();
    rows.clear();
    expect(await state(push)).toBe("off");
    await push.turnOff();
    expect(current).toBeNull();
  });

  it("gets a new address for another account, so that the first one does not reach it any more", async () => {
    await device("ada").turnOn();
    await device("bob").turnOn();
    expect(current?.endpoint).toBe("https://push.example/2");
    expect(await state(device("ada"))).toBe("off");
    expect(await state(device("bob"))).toBe("on");
  });

  it.each(["the browser has replaced the address", "the deployment has another key", "nothing has changed"])("when the page opens and %s", async (what) => {
    await device().turnOn();
    const before = current?.endpoint;
    if (what.includes("address")) current = { ...current!, endpoint: "https://push.example/x" };
    const push = device("ada", what.includes("key") ? "BAI" : KEY);
    await push.renew();
    expect(await state(push)).toBe("on");
    expect(current?.endpoint === before).toBe(what === "nothing has changed");
    expect(rows.size).toBe(1);
  });

  it("is renewed although the user has as many devices as may be", async () => {
    await device().turnOn();
    for (let other = 0; rows.size < 10; other += 1) rows.set(`other-${other}`, "");
    current = { ...current!, endpoint: "https://push.example/x" };
    await device().renew();
    expect(await state(device())).toBe("on");
    expect(rows.size).toBe(10);
  });

  it("is renewed the next time when the server cannot be reached in between", async () => {
    await device().turnOn();
    current = { ...current!, endpoint: "https://push.example/x" };
    fails = true;
    await expect(device().renew()).rejects.toThrow("offline");
    expect(await state(device())).toBe("off");
    fails = false;
    await device().renew();
    expect(await state(device())).toBe("on");
    expect(rows.size).toBe(1);
  });

  it("is removed when the permission was taken back", async () => {
    await device().turnOn();
    permission = "denied";
    await device().renew();
    expect(rows.size).toBe(0);
  });
});

it.each([
  ["Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1", "Safari on iPhone"],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"],
  ["curl/8", "Browser"],
])("a device has a name: %s", (agent, name) => expect(deviceName(agent)).toBe(name));
