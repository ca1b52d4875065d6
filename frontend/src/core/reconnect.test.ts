import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Page } from "../api";
import type { OutgoingMessage } from "../protocol/frames";
import { ChatClient } from "./client";
import { chunk, end, FakeSocket, MemoryStorage, row, settle } from "./fakes";
import { timeline } from "./timeline";

/** What a tab must find out by itself after it was away: nobody tells it again. */
describe("the chat client after a reconnect", () => {
  let sockets: FakeSocket[];
  let pages: Record<string, Page["messages"]>;
  /** Holds pages back until it is called; they have what was saved when they were asked for. */
  let release: (() => void) | null;
  let broken: boolean;
  let post: (message: OutgoingMessage) => Promise<unknown>;
  let fetched: string[];
  let client: ChatClient;
  const last = () => sockets.at(-1) as FakeSocket;
  const items = (id = "main") => timeline(client.store.conversation(id));
  const ids = (id?: string) => items(id).map((item) => item.id);
  const reconnect = async () => {
    last().drops();
    await vi.advanceTimersByTimeAsync(1000);
    last().opens();
    await settle();
  };
  const answer = (content: string) => row("question1.answer", 2, { role: "assistant", content, replyTo: "question1" });
  const hold = () => {
    const gate = new Promise<void>((resolve) => { release = resolve; });
    return gate;
  };
  let gate: Promise<void> | null;

  beforeEach(async () => {
    vi.useFakeTimers({ now: 1_000_000 });
    [sockets, pages, fetched, release, gate, broken] = [[], {}, [], null, null, false];
    post = async () => ({});
    client = new ChatClient({
      socket: { url: async () => "wss://host/", open: (url) => { const made = new FakeSocket(url); sockets.push(made); return made; }, online: () => true, random: () => 0 },
      page: async (id) => {
        fetched.push(id);
        const page = { conversationId: id, messages: pages[id] ?? [], before: null };
        if (gate) await gate;
        if (broken) throw Object.assign(new Error("no network"), { code: "OFFLINE" });
        return page;
      },
      post: (message) => post(message), storage: new MemoryStorage(), account: "ada", schedule: (publish) => publish(), now: () => Date.now(),
    }, "main");
    pages["main"] = [row("question1", 1)];
    pages["c-b"] = [row("b1", 1, { conversationId: "c-b" })];
    client.start();
    await settle();
    last().opens();
    await settle();
  });
  afterEach(() => {
    client.stop();
    vi.useRealTimers();
  });

  it("fetches a conversation that was loaded before, when it is opened", async () => {
    client.show("c-b");
    await settle();
    await reconnect();
    pages["main"] = [row("question1", 1), row("telegram1", 5)];
    fetched = [];
    client.show("main");
    expect(ids()).toEqual(["question1"]);
    await settle();
    expect(ids()).toEqual(["question1", "telegram1"]);
    client.show("c-b");
    client.show("main");
    await settle();
    expect(fetched).toEqual(["main"]);
  });

  it("fetches the saved answer again when it was cut and a fetch was already under way", async () => {
    gate = hold();
    await reconnect();
    last().says(chunk(1, "a"));
    pages["main"] = [row("question1", 1), answer("whole")];
    last().says(end(5, 5));
    release?.();
    await settle();
    expect(items().at(-1)).toMatchObject({ text: "whole", state: "done" });
  });

  it("keeps the text of a lost run until the saved answer is there", async () => {
    last().says(chunk(1, "half"));
    gate = hold();
    await reconnect();
    pages["main"] = [row("question1", 1), answer("whole")];
    last().says({ type: "error", code: "RUN_UNKNOWN", message: "", runId: "run-1", conversationId: "main" });
    await settle();
    expect(items().at(-1)).toMatchObject({ text: "half" });
    release?.();
    await settle();
    expect(items().at(-1)).toMatchObject({ text: "whole", state: "done" });
  });

  it("keeps the text of a lost run when the saved answer cannot be fetched", async () => {
    last().says(chunk(1, "half"));
    broken = true;
    last().says({ type: "error", code: "RUN_UNKNOWN", message: "", runId: "run-1", conversationId: "main" });
    await settle();
    expect(items().at(-1)).toMatchObject({ text: "half" });
  });

  it.each(["START_FAILED", "CAPACITY"])("shows a large message that waits after %s as a small one", async (code) => {
    post = () => Promise.reject(Object.assign(new Error("no room"), { code }));
    const id = client.send("x".repeat(33_000));
    await settle();
    expect(items().at(-1)).toMatchObject({ id, state: "done", waiting: true, error: { code, message: "no room" } });
    expect(client.outbox.entries).toHaveLength(0);
  });

  it.each(["START_FAILED", "CAPACITY"])("sends no message again after %s, though its ack was lost", async (code) => {
    const id = client.send("hello");
    last().says({ type: "error", code, message: "no room", id });
    expect(items().at(-1)).toMatchObject({ id, state: "done", waiting: true, error: { code } });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(last().actions("sendMessage")).toHaveLength(1);
  });

  it("holds a later message back while one before it was not taken", async () => {
    const first = client.send("one");
    last().says({ type: "error", code: "RATE_LIMITED", message: "slow down", id: first });
    const second = client.send("two");
    expect(last().actions("sendMessage").map((frame) => frame["id"])).toEqual([first]);
    await vi.advanceTimersByTimeAsync(12_000);
    expect(last().actions("sendMessage").map((frame) => frame["id"])).toEqual([first, first, second]);
  });
});
