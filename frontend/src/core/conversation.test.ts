import { describe, expect, it } from "vitest";
import { addLocal, newConversation, onActivity, onCard, onChunk, onEnd, onRows, onThinking, onWork, type Conversation, type Message } from "./conversation";
import { chunk, end, KEY, row } from "./fakes";
import { mergeNewestPage, mergeOlderPage } from "./history";
import { timeline } from "./timeline";

const empty = newConversation("main");
const local = (id: string, createdAt = 1000): Message =>
  ({ id, role: "user", text: id, createdAt, state: "pending", local: true });
const ids = (conversation: Conversation) => timeline(conversation).map((item) => item.id);
const answerRow = (id: string, at: number, more = {}) =>
  row(`${id}.answer`, at, { role: "assistant", replyTo: id, reason: "final", ...more });

describe("a conversation", () => {
  it("shows what a program sent with its cause, and never lets it be asked again as the person's words", () => {
    const rows = [row("h-1", 1, { cause: "Hook: GitHub" }), row("h-1.answer", 1, { role: "assistant", reason: "final", replyTo: "h-1" })];
    const items = timeline(onRows(newConversation("c"), rows));
    expect(items.map(({ cause, again }) => [cause, again])).toEqual([["Hook: GitHub", undefined], ["Hook: GitHub", undefined]]);
  });

  it("shows what the agent says by itself at its time, with its cause, as no answer", () => {
    const said = row("u-1.answer", 2, { role: "assistant", reason: "proactive", cause: "Reminder: plants" });
    const items = timeline(onRows(empty, [said, row("m-1", 1)]));
    expect(items.map(({ id, cause }) => [id, cause])).toEqual([["m-1", undefined], ["u-1.answer", "Reminder: plants"]]);
    expect([items[0]?.waiting, items[1]?.again]).toEqual([true, undefined]);
  });

  it("shows a question at its time; its end takes its place, and the message before it still waits", () => {
    const part = { id: "colour", header: "C", text: "Which?", options: [], multi: false, other: true };
    const question = { id: "q1", kind: "question" as const, state: "open" as const, expiresAt: 9, parts: [part] };
    const asked = row("q1", 2, { role: "assistant", reason: "question", content: "Which?", question });
    const open = onRows(empty, [asked, row("m-1", 1)]);
    expect(timeline(open).map((item) => [item.id, item.question?.state, item.waiting])).toEqual([["m-1", undefined, true], ["q1", "open", undefined]]);
    const answered = { ...question, state: "answered" as const, answers: { colour: ["blue"] } };
    const closed = timeline(onRows(open, [{ ...asked, question: answered }]));
    expect(closed.map((item) => item.question?.state)).toEqual([undefined, "answered"]);
  });

  it("asks to resume from the last seq when a gap opens", () => {
    const one = onChunk(empty, chunk(1, "a"), 0).conversation;
    expect(onChunk(one, chunk(3, "c"), 0).effects)
      .toEqual([{ kind: "resume", conversationId: "main", runId: "run-1", lastSeq: 1 }]);
  });

  it("fetches the saved answer when the text is not the whole of it", () => {
    const one = onChunk(empty, chunk(1, "a"), 0).conversation;
    expect(onEnd(one, end(2, 1), 0).effects).toEqual([]);
    expect(onEnd(one, end(2, 9), 0).effects).toEqual([{ kind: "refetch", conversationId: "main" }]);
  });

  it("takes the saved answer over the streamed one", () => {
    const streamed = onEnd(onChunk(empty, chunk(1, "streamed"), 0).conversation, end(2, 8), 0).conversation;
    const saved = onRows(streamed, [row("question1", 1), answerRow("question1", 2, { content: "saved" })]);
    expect(timeline(saved).at(-1)).toMatchObject({ id: "question1.answer", text: "saved", state: "done" });
  });

  it("tells after a reload why an answer failed", () => {
    const error = { code: "PROVIDER_ERROR", message: "the provider is broken" };
    const saved = onRows(empty, [row("question1", 1), answerRow("question1", 2, { content: "", reason: "error", error })]);
    expect(timeline(saved).at(-1)).toMatchObject({ state: "error", error, again: true });
  });

  it("cannot ask again what it has not whole: a question on an older page, or images only named", () => {
    const orphan = onRows(empty, [answerRow("question1", 2)]);
    expect(timeline(orphan)[0]?.again).toBeUndefined();
    const named = [{ mimeType: "image/png", fileName: "a.png" }];
    const saved = onRows(empty, [row("question1", 1, { attachments: named }), answerRow("question1", 2)]);
    expect(timeline(saved)[1]?.again).toBeUndefined();
  });

  it("ignores late chunks of an answer that is already saved", () => {
    const saved = onRows(empty, [row("question1", 1), answerRow("question1", 2)]);
    expect(onChunk(saved, chunk(1, "late"), 0).conversation).toBe(saved);
  });

  it("goes on streaming a second attempt although the failed first one is saved", () => {
    const second = onChunk(empty, chunk(1, "again", { runId: "run-2" }), 0).conversation;
    const merged = onRows(second, [row("question1", 1), answerRow("question1", 2, { reason: "error" })]);
    expect(timeline(merged).at(-1)).toMatchObject({ text: "again", state: "streaming" });
  });

  it("shows what the agent does until it writes", () => {
    const busy = onActivity(empty, { type: "activity", ...KEY, kind: "tool", name: "browser", state: "start" }, 0);
    expect(timeline(busy)[0]).toMatchObject({ state: "streaming", activity: { kind: "tool", name: "browser" } });
    expect(timeline(onChunk(busy, chunk(1, "a"), 0).conversation)[0]?.activity).toBeUndefined();
  });

  it("keeps the images that this tab still has when the saved row names them only", () => {
    const images = [{ mimeType: "image/png", fileName: "a.png", content: "AAAA" }];
    const sent = addLocal(empty, { ...local("question1"), attachments: images });
    const saved = onRows(sent, [row("question1", 5, { attachments: [{ mimeType: "image/png", fileName: "a.png" }] })]);
    expect(timeline(saved)[0]?.attachments).toBe(images);
  });
});

describe("the timeline", () => {
  it("puts each answer right after its question, even when two questions were sent in a row", () => {
    const known = onRows(empty, [row("q1", 1), row("q2", 2), answerRow("q1", 3), answerRow("q2", 4)]);
    expect(ids(known)).toEqual(["q1", "q1.answer", "q2", "q2.answer"]);
  });

  it("keeps an answer whose question is on an older page", () => {
    expect(ids(onRows(empty, [answerRow("q0", 1), row("q1", 2)]))).toEqual(["q0.answer", "q1"]);
  });

  it("puts what was made here last, however wrong this machine's clock is", () => {
    const known = addLocal(onRows(empty, [row("q1", 50_000), answerRow("q1", 60_000)]), local("q2", 5));
    expect(ids(known)).toEqual(["q1", "q1.answer", "q2"]);
  });

  it("marks only the questions after the last answer as waiting", () => {
    const known = onRows(empty, [row("lost", 1), row("q1", 2), answerRow("q1", 3), row("q2", 4)]);
    expect(timeline(known).filter((item) => item.waiting).map((item) => item.id)).toEqual(["q2"]);
  });

  it("shows a message of another tab once, whatever else brings it", () => {
    const once = onRows(onRows(empty, [row("q1", 1)]), [row("q1", 1)]);
    expect(ids(once)).toEqual(["q1"]);
  });
});

describe("pages of history", () => {
  const page = (rows: ReturnType<typeof row>[], before: string | null) => ({ conversationId: "main", messages: rows, before });

  it("keeps unsent messages when the first page arrives", () => {
    const known = mergeNewestPage(addLocal(empty, local("mine")), page([row("q1", 1)], "c1"));
    expect(ids(known)).toEqual(["q1", "mine"]);
    expect(known).toMatchObject({ load: "loaded", before: "c1" });
  });

  it("keeps older pages and their cursor when a newer page overlaps them", () => {
    let known = mergeNewestPage(empty, page([row("q3", 3)], "c3"));
    known = mergeOlderPage(known, page([row("q1", 1), row("q2", 2)], "c1"));
    known = mergeNewestPage(known, page([row("q3", 3), row("q4", 4)], "c3"));
    expect(ids(known)).toEqual(["q1", "q2", "q3", "q4"]);
    expect(known.before).toBe("c1");
  });

  it("starts over when so much was missed that a hole would stay", () => {
    const known = mergeNewestPage(mergeNewestPage(empty, page([row("q1", 1)], null)), page([row("q90", 90)], "c90"));
    expect(ids(known)).toEqual(["q90"]);
    expect(known.before).toBe("c90");
  });

  const accepted = (id: string, createdAt: number, after: number): Message => ({ ...local(id, createdAt), state: "done", after });

  it("leaves what this tab sent long ago where it was, when the page no longer reaches back to it", () => {
    const first = mergeNewestPage(empty, page([row("q1", 1)], "c1"));
    const known = [accepted("m1", 100, 1), accepted("m2", 200, 1)].reduce(addLocal, first);
    const merged = mergeNewestPage(known, page([row("m2", 20), row("q3", 30)], "c2"));
    expect(ids(merged)).toEqual(["q1", "m1", "m2", "q3"]);
  });

  it("does so in a conversation that began in this tab, too", () => {
    const begun: Conversation = { ...empty, load: "loaded" };
    const known = [accepted("m1", 100, 0), accepted("m2", 200, 0)].reduce(addLocal, begun);
    const merged = mergeNewestPage(known, page([row("m2", 20), row("q3", 30)], "c2"));
    expect(ids(merged)).toEqual(["m1", "m2", "q3"]);
    expect(merged.before).toBe("c2");
  });

  it("puts what this tab has just sent after a page that does not hold it yet", () => {
    const first = mergeNewestPage(empty, page([row("q1", 1)], "c1"));
    const known = [accepted("m1", 100, 1), accepted("m2", 200, 1)].reduce(addLocal, first);
    expect(ids(mergeNewestPage(known, page([row("q1", 1), row("q3", 30)], "c1")))).toEqual(["q1", "q3", "m1", "m2"]);
    expect(ids(mergeNewestPage(known, page([row("m1", 20), row("q3", 30)], "c2")))).toEqual(["q1", "m1", "q3", "m2"]);
  });

  it("starts over without the answers of the questions that go, but with one that is being written", () => {
    let known = mergeNewestPage(empty, page([row("q1", 1), row("question1", 2)], null));
    known = onEnd(onChunk(known, chunk(1, "old", { runId: "r1", replyTo: "q1" }), 0).conversation, end(2, 3, { runId: "r1", replyTo: "q1" }), 0).conversation;
    known = onChunk(known, chunk(1, "live"), 0).conversation;
    known = mergeNewestPage(known, page([row("q8", 8)], "c8"), new Set(["q1", "question1"]));
    expect(ids(known)).toEqual(["q8", "question1.answer"]);
  });
});

describe("a message sent into a running turn", () => {
  const waiting = onRows(empty, [row("q1", 1), row("q2", 2)]);
  const steered = answerRow("q2", 2, { reason: "steered", content: "" });
  const shown = (conversation: Conversation) =>
    timeline(conversation).map((item) => `${item.id}${item.behind ? " behind" : ""}${item.steered ? " steered" : ""}`);

  it("waits behind the answer that is being written, and says so", () => {
    const writing = onChunk(waiting, { ...chunk(1, "Hm"), replyTo: "q1" }, 3).conversation;
    expect(shown(writing)).toEqual(["q1", "q1.answer", "q2 behind"]);
  });

  it("has no answer of its own once it was taken in", () => {
    expect(shown(onRows(waiting, [answerRow("q1", 1), steered]))).toEqual(["q1", "q1.answer", "q2 steered"]);
  });

  it("is told so by the end of its run", () => {
    const { conversation, effects } = onEnd(waiting, { ...end(1, 0), replyTo: "q2", runId: "q2.steered", reason: "steered", length: 0 }, 3);
    expect(effects).toEqual([]);
    expect(shown(conversation)).toEqual(["q1", "q2 steered"]);
  });
});

describe("work that one can watch", () => {
  const key = { runId: "r.1", conversationId: "main", replyTo: "m-1" };
  const step = (id: string, state: "running" | "done" | "failed") => ({ type: "work" as const, ...key, step: { id, name: "exec", state, arguments: "ls" } });

  it("adds steps in order, and a step that ended keeps its place", () => {
    let known = newConversation("main");
    for (const frame of [step("a", "running"), step("b", "running"), step("a", "done")]) known = onWork(known, frame, 1);
    expect(known.runs["m-1"]?.work?.map(({ id, state }) => `${id} ${state}`)).toEqual(["a done", "b running"]);
  });

  it("is not set back by a replay", () => {
    const ended = onWork(onWork(newConversation("main"), step("a", "running"), 1), step("a", "failed"), 1);
    expect(onWork(ended, step("a", "running"), 2).runs["m-1"]?.work?.[0]?.state).toBe("failed");
  });

  it("tells what the model thinks, and after the end what it thought", () => {
    const thinks = (text: string) => ({ type: "thinking" as const, ...key, text });
    const end = { type: "stream_end" as const, ...key, seq: 1, messageId: "m-1.answer", reason: "final" as const, length: 0 };
    let known = newConversation("main");
    for (const frame of [thinks("a"), thinks("a b"), thinks("")]) known = onThinking(known, frame, 1);
    expect([known.runs["m-1"]?.thinking, known.runs["m-1"]?.activity]).toEqual([{ text: "a b" }, { kind: "thinking" }]);
    const all = onEnd(known, { ...end, thinking: { text: "a b c", cut: true } }, 1).conversation.runs["m-1"];
    expect([all?.thinking, all?.activity]).toEqual([{ text: "a b c", cut: true }, undefined]);
    expect(onEnd(known, end, 1).conversation.runs["m-1"]?.thinking).toBeUndefined();
  });

  it("shows the latest progress card until it is taken away", () => {
    const told = (note: string | null) => ({ type: "card" as const, ...key, card: note === null ? null : { note } });
    let known = newConversation("main");
    for (const frame of [told("a"), told("b")]) known = onCard(known, frame, 1);
    expect(known.runs["m-1"]?.card).toEqual({ note: "b" });
    expect(onCard(known, told(null), 1).runs["m-1"]?.card).toBeUndefined();
  });

  it("stays with the saved answer", () => {
    const row = { messageId: "m-1.answer", role: "assistant" as const, content: "x", conversationId: "main", createdAt: 1, replyTo: "m-1", work: [step("a", "done").step], model: "p/m", thinking: { text: "hm" }, card: { note: "c" } };
    const saved = onRows(newConversation("main"), [row]).messages["m-1.answer"];
    expect([saved?.work?.length, saved?.model, saved?.thinking?.text, saved?.card?.note]).toEqual([1, "p/m", "hm", "c"]);
  });
});
