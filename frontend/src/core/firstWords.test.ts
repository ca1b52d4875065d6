import { describe, expect, it } from "vitest";
import type { FirstWordsFrame } from "../protocol/frames";
import { newConversation, onActivity, onChunk, onFirstWords, onRows } from "./conversation";
import { chunk, KEY, row } from "./fakes";
import { timeline } from "./timeline";

const words = (text: string, ended = false): FirstWordsFrame =>
  ({ type: "first_words", conversationId: "main", replyTo: KEY.replyTo, text, ended });
const asked = onRows(newConversation("main"), [row(KEY.replyTo, 1)]);

describe("first words", () => {
  it("stand where the answer will be, and the question still waits", () => {
    const items = timeline(onFirstWords(asked, words("Rome is")));
    expect(items.map(({ id, text, state, first }) => [id, text, state, first])).toEqual([
      [KEY.replyTo, expect.any(String), "done", undefined], [`${KEY.replyTo}.answer`, "Rome is", "streaming", true]]);
    expect(items[0]?.waiting).toBe(true);
    expect(timeline(onFirstWords(asked, words("Rome.", true)))[1]?.state).toBe("done");
  });

  it("never become shorter by a late frame, and nothing follows their end", () => {
    const said = onFirstWords(onFirstWords(asked, words("Rome is a city.")), words("Rome"));
    expect(timeline(said)[1]?.text).toBe("Rome is a city.");
    const ended = onFirstWords(onFirstWords(asked, words("Rome.", true)), words("Rome. And"));
    expect(timeline(ended)[1]?.text).toBe("Rome.");
  });

  it("are there after a reload, and stay when a row without them comes", () => {
    const loaded = onRows(newConversation("main"), [row(KEY.replyTo, 1, { firstWords: { text: "Rome.", ended: true } })]);
    expect(timeline(onRows(loaded, [row(KEY.replyTo, 1)]))[1]).toMatchObject({ text: "Rome.", first: true });
  });

  it("are replaced by the agent's own run, which begins with them", () => {
    const said = onFirstWords(asked, words("Rome.", true));
    const busy = onActivity(said, { type: "activity", ...KEY, kind: "thinking" }, 0);
    expect(timeline(busy)[1]).toMatchObject({ text: "Rome.", state: "streaming" });
    expect(timeline(busy)[1]?.first).toBeUndefined();
    const answered = onChunk(busy, chunk(1, "Rome.\n\nIt has"), 0).conversation;
    expect(timeline(answered)[1]?.text).toBe("Rome.\n\nIt has");
    const saved = row(`${KEY.replyTo}.answer`, 2, { role: "assistant", reason: "final", replyTo: KEY.replyTo, content: "Rome.\n\nDone." });
    expect(timeline(onRows(answered, [saved])).map(({ text }) => text).at(-1)).toBe("Rome.\n\nDone.");
  });

  it("to a question that this tab does not know change nothing", () => {
    const empty = newConversation("main");
    expect(onFirstWords(empty, words("Rome."))).toBe(empty);
  });
});
