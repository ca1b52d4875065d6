import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Page } from "../api";
import { ChatClient } from "./client";
import { chunk, end, FakeSocket, MemoryStorage, row, settle } from "./fakes";
import { timeline } from "./timeline";

describe("the chat client", () => {
  let sockets: FakeSocket[];
  let storage: MemoryStorage;
  let pages: Record<string, Page>;
  let fetched: string[];
  let client: ChatClient;
  const last = () => sockets.at(-1) as FakeSocket;
  const make = (current = "main") => new ChatClient({
    socket: { url: async () => "wss://host/", open: (url) => { const made = new FakeSocket(url); sockets.push(made); return made; }, online: () => true, random: () => 0 },
    page: async (id) => {
      fetched.push(id);
      return pages[id] ?? { conversationId: id, messages: [], before: null };
    },
    post: async () => ({}), storage, account: "ada", schedule: (publish) => publish(), now: () => Date.now(),
  }, current);
  const items = (id = "main") => timeline(client.store.conversation(id));
  const connect = async () => {
    client.start();
    await settle();
    last().opens();
    await settle();
  };
  const reconnect = async () => {
    last().drops();
    await vi.advanceTimersByTimeAsync(1000);
    last().opens();
    await settle();
  };

  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
    [sockets, storage, pages, fetched] = [[], new MemoryStorage(), {}, []];
    client = make();
  });
  afterEach(() => {
    client.stop();
    vi.useRealTimers();
  });

  it("loads the conversation, asks for the status and for a run that is live", async () => {
    pages["main"] = { conversationId: "main", messages: [row("q1", 1)], before: null };
    await connect();
    expect(items().map(({ id }) => id)).toEqual(["q1"]);
    expect(last().actions("getStatus")).toHaveLength(1);
    expect(last().actions("resume")).toEqual([{ action: "resume", conversationId: "main" }]);
  });

  it("answers a question, or lets the agent decide; without a connection it says so", async () => {
    expect(client.answer("q1", { colour: ["Red"] })).toBe(false);
    await connect();
    expect(client.answer("q1", { colour: ["Red"] })).toBe(true);
    client.answer("q1", null);
    expect(last().actions("answer")).toEqual([
      { action: "answer", questionId: "q1", answers: { colour: ["Red"] } }, { action: "answer", questionId: "q1", cancel: true },
    ]);
  });

  it("shows a message as pending until its ack", async () => {
    await connect();
    const id = client.send("hello");
    expect(items()[0]).toMatchObject({ id, state: "pending" });
    last().says({ type: "ack", id, conversationId: "main" });
    expect(items()[0]).toMatchObject({ id, state: "done", waiting: true });
    expect(client.outbox.entries).toHaveLength(0);
  });

  it("sends a message written while offline once, after the connection is back", async () => {
    await connect();
    last().drops();
    const id = client.send("hello");
    expect(items()[0]?.state).toBe("pending");
    await vi.advanceTimersByTimeAsync(1000);
    last().opens();
    await settle();
    last().says({ type: "ack", id, conversationId: "main" });
    await reconnect();
    expect(sockets.flatMap((socket) => socket.actions("sendMessage"))).toHaveLength(1);
  });

  it("resends an unacknowledged message after a reload under the same id", async () => {
    await connect();
    const id = client.send("hello");
    client.stop();
    client = make();
    await connect();
    expect(items()).toMatchObject([{ id, state: "pending", text: "hello" }]);
    expect(last().actions("sendMessage")).toMatchObject([{ id, text: "hello" }]);
  });

  it("resumes a streaming answer from the last seq on a new connection", async () => {
    await connect();
    last().says(chunk(1, "Hel"));
    await reconnect();
    expect(last().actions("resume")).toEqual([{ action: "resume", runId: "run-1", lastSeq: 1, conversationId: "main" }]);
    last().says(chunk(3, "lo!", { fromSeq: 2 }));
    expect(items().at(-1)).toMatchObject({ text: "Hello!", state: "streaming" });
  });

  it("asks again when a gap stays open", async () => {
    await connect();
    last().says(chunk(1, "a"));
    last().says(chunk(3, "c"));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(last().actions("resume").filter((frame) => frame["runId"])).toHaveLength(2);
  });

  it("fetches the saved answer when the end does not fit the text", async () => {
    await connect();
    last().says(chunk(1, "a"));
    pages["main"] = { conversationId: "main", before: null, messages: [row("question1", 1), row("question1.answer", 2, { role: "assistant", content: "whole", replyTo: "question1" })] };
    last().says(end(5, 5));
    await settle();
    expect(items().at(-1)).toMatchObject({ text: "whole", state: "done" });
  });

  it("fetches the conversation when the run to resume is not known any more", async () => {
    await connect();
    last().says(chunk(1, "a"));
    fetched = [];
    last().says({ type: "error", code: "RUN_UNKNOWN", message: "" });
    await settle();
    expect(fetched).toEqual(["main"]);
  });

  it("gives up a run that is nowhere live, in whatever conversation, and shows what was saved of it", async () => {
    await connect();
    last().says(chunk(1, "a"));
    client.startNew();
    const failed = row("question1.answer", 2, { role: "assistant", replyTo: "question1", reason: "error", content: "" });
    pages["main"] = { conversationId: "main", messages: [row("question1", 1), failed], before: null };
    last().says({ type: "error", code: "RUN_UNKNOWN", message: "", runId: "run-1", conversationId: "main" });
    await settle();
    expect(items().at(-1)).toMatchObject({ id: "question1.answer", state: "error" });
  });

  it("lets the stop button be pressed again when there was nothing to stop", async () => {
    await connect();
    client.abort();
    expect(client.store.state.stopping).toBe(true);
    last().says({ type: "error", code: "RUN_UNKNOWN", message: "", conversationId: "main" });
    expect(client.store.state.stopping).toBe(false);
  });

  it("shows what another tab sends and what it is answered", async () => {
    await connect();
    last().says({ type: "message", ...row("question1", 1) });
    last().says(chunk(1, "hi"));
    last().says(end(2, 2));
    expect(items()).toMatchObject([{ id: "question1", state: "done" }, { id: "question1.answer", text: "hi", state: "done" }]);
  });

  it("keeps the order of what two tabs wrote", async () => {
    await connect();
    const mine = client.send("mine");
    last().says({ type: "ack", id: mine, conversationId: "main" });
    last().says({ type: "message", ...row("theirs-1", 5) });
    const later = client.send("mine again");
    last().says({ type: "ack", id: later, conversationId: "main" });
    last().says({ type: "message", ...row("theirs-2", 6) });
    const pending = client.send("not yet there");
    expect(items().map(({ id }) => id)).toEqual([mine, "theirs-1", later, "theirs-2", pending]);
  });

  it("puts a message that was sent before the first page came after that page", async () => {
    pages["main"] = { conversationId: "main", messages: [row("old", 7)], before: null };
    client.start();
    const mine = client.send("mine");
    await settle();
    last().opens();
    last().says({ type: "ack", id: mine, conversationId: "main" });
    await settle();
    expect(items().map(({ id }) => id)).toEqual(["old", mine]);
  });

  it("gives a refused message back to its writer", async () => {
    await connect();
    const id = client.send("hello");
    last().says({ type: "error", code: "BAD_FIELD", message: "text: no", id });
    expect(items()[0]).toMatchObject({ state: "error", error: { code: "BAD_FIELD" } });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(last().actions("sendMessage")).toHaveLength(1);
    client.retry(id);
    expect(last().actions("sendMessage")).toHaveLength(2);
    expect(last().actions("sendMessage")[1]?.["id"]).not.toBe(id);
  });

  it.each(["START_FAILED", "CAPACITY"])("keeps a message waiting after %s", async (code) => {
    await connect();
    const id = client.send("hello");
    last().says({ type: "ack", id, conversationId: "main" });
    last().says({ type: "error", code, message: "no room", id });
    expect(items()[0]).toMatchObject({ state: "done", waiting: true, error: { code } });
  });

  it("ends the run of a message that the server gave up", async () => {
    await connect();
    last().says({ type: "message", ...row("question1", 1) });
    last().says(chunk(1, "half"));
    last().says({ type: "error", code: "MESSAGE_DEAD", message: "three tries failed", id: "question1" });
    expect(items()).toMatchObject([{ state: "error" }, { text: "half", state: "error", error: { code: "MESSAGE_DEAD" } }]);
  });

  it("shows one failure of a message that was given up, as it is saved", async () => {
    await connect();
    const error = { code: "PROVIDER_ERROR", message: "overloaded" };
    const id = client.send("hello");
    last().says({ type: "ack", id, conversationId: "main" });
    pages["main"] = { conversationId: "main", before: null, messages: [
      row(id, 1), row(`${id}.answer`, 2, { role: "assistant", content: "", replyTo: id, reason: "error", error }),
    ] };
    last().says({ type: "error", code: "MESSAGE_DEAD", message: "three tries failed", id });
    await settle();
    expect(items()).toMatchObject([{ id, state: "done" }, { id: `${id}.answer`, state: "error", error }]);
  });

  it("stops the run that is streaming", async () => {
    await connect();
    last().says(chunk(1, "a"));
    client.abort();
    expect(last().actions("stop")).toEqual([{ action: "stop", conversationId: "main", runId: "run-1" }]);
    last().says(end(2, 1, { reason: "aborted" }));
    expect(items().at(-1)).toMatchObject({ state: "aborted", text: "a" });
    expect(client.store.state.stopping).toBe(false);
  });

  it("keeps the answers of other conversations out of the open one", async () => {
    await connect();
    last().says(chunk(1, "elsewhere", { conversationId: "c-other" }));
    expect(items()).toEqual([]);
    expect(items("c-other")).toHaveLength(1);
  });

  it("treats a conversation without a saved message as empty, not as an error", async () => {
    client.stop();
    client = new ChatClient({
      socket: { url: async () => "wss://host/", open: (url) => new FakeSocket(url), online: () => true },
      page: () => Promise.reject(Object.assign(new Error("none"), { code: "NOT_FOUND" })),
      post: async () => ({}), storage, account: "ada", schedule: (publish) => publish(), now: () => 0,
    }, "c-new");
    client.start();
    await settle();
    expect(client.store.conversation("c-new").load).toBe("loaded");
  });

  it("asks a failed question again as a new message that takes its place", async () => {
    const error = { code: "PROVIDER_ERROR", message: "overloaded" };
    const id = "m-aaaaaaaaaaaaaaaaaaaa";
    pages["main"] = { conversationId: "main", before: null, messages: [
      row(id, 1), row(`${id}.answer`, 2, { role: "assistant", content: "", replyTo: id, reason: "error", error }),
    ] };
    await connect();
    expect(items().at(-1)).toMatchObject({ state: "error", error, again: true });
    client.askAgain(`${id}.answer`);
    const [sent] = last().actions("sendMessage");
    expect(sent).toMatchObject({ text: `text of ${id}` });
    expect(sent?.["id"]).toMatch(/^m-[a-z0-9]{20}-again-a{20}$/);
  });

  it("keeps what the server advises until it is dismissed, through sending and errors", async () => {
    await connect();
    last().says({ type: "notice", code: "BUDGET_NEAR", message: "80 % used", usd: 4, limitUsd: 5 });
    client.send("hello");
    last().says({ type: "error", code: "RATE_LIMITED", message: "slow down" });
    expect(client.store.state.advice).toMatchObject({ code: "BUDGET_NEAR", usd: 4, limitUsd: 5 });
    client.dismissAdvice();
    expect(client.store.state.advice).toBeNull();
  });

  it("ends a turn that the budget refused with its reason", async () => {
    await connect();
    const id = client.send("hello");
    last().says({ type: "ack", id, conversationId: "main" });
    const error = { code: "BUDGET_REACHED", message: "the limit of $5.00 is reached" };
    last().says({ type: "stream_end", runId: "run-9", conversationId: "main", replyTo: id, seq: 1, messageId: null, length: 0, reason: "error", error });
    expect(items().at(-1)).toMatchObject({ role: "assistant", state: "error", error, again: true });
  });
});
