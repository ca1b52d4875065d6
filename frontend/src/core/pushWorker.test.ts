/** The service worker as it is served (public/push-worker.js), in a stand-in of its global scope. */
import worker from "../../public/push-worker.js?raw";
import { beforeEach, expect, it } from "vitest";

type Handler = (event: object) => void;
interface Tab { focused: boolean; visibilityState: string; posted: unknown[]; focus(): void; postMessage(data: unknown): void; front?: boolean }

let handlers: Record<string, Handler>;
let shown: [string, Record<string, unknown>][];
let tabs: Tab[];
let opened: string[];

function tab(more: Partial<Tab> = {}): Tab {
  const made: Tab = {
    focused: false, visibilityState: "hidden", posted: [], ...more,
    focus() { made.front = true; },
    postMessage(data) { made.posted.push(data); },
  };
  return made;
}

async function happens(name: string, event: object): Promise<void> {
  let work: Promise<unknown> = Promise.resolve();
  handlers[name]?.({ ...event, waitUntil: (promise: Promise<unknown>) => { work = promise; } });
  await work;
}

const pushed = (text: string | null) => happens("push", { data: text === null ? null : { json: () => JSON.parse(text) as unknown } });
const clicked = async (conversationId: unknown) => {
  let closed = false;
  await happens("notificationclick", { notification: { data: { conversationId }, close: () => { closed = true; } } });
  expect(closed).toBe(true);
};

beforeEach(() => {
  [handlers, shown, tabs, opened] = [{}, [], [], []];
  const self = {
    addEventListener: (name: string, handler: Handler) => { handlers[name] = handler; },
    registration: { showNotification: async (title: string, options: Record<string, unknown>) => { shown.push([title, options]); } },
    clients: { matchAll: async () => tabs, openWindow: async (url: string) => { opened.push(url); } },
  };
  new Function("self", worker)(self);
});

it("shows cause and text under the message's tag", async () => {
  await pushed(JSON.stringify({ title: "Reminder", body: "Water!", tag: "t-1", conversationId: "c-1" }));
  expect(shown).toMatchObject([["Reminder", { body: "Water!", tag: "t-1", data: { conversationId: "c-1" } }]]);
});

it.each([null, "no json", "{}", '{"title": 7}'])("shows something for every push: %s", async (text) => {
  await pushed(text);
  expect(shown).toMatchObject([["OpenClaw", { body: "" }]]);
});

it("brings an open tab to the front and asks it for the conversation", async () => {
  tabs = [tab(), tab({ visibilityState: "visible" })];
  await clicked("c-1");
  expect([tabs[1]?.front, tabs[1]?.posted, opened]).toEqual([true, [{ type: "open", conversationId: "c-1" }], []]);
  expect(tabs[0]?.posted).toEqual([]);
});

it("opens the conversation in a new tab when there is none", async () => {
  await clicked("c-1");
  await clicked("../../evil?x");
  await clicked(undefined);
  expect(opened).toEqual(["/#/c/c-1", "/#/c/main", "/#/c/main"]);
});
