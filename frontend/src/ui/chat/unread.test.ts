import { describe, expect, it } from "vitest";
import { withNews } from "./listing";
import { isUnread, withSeen, type Seen } from "./unread";

const item = (conversationId: string, updatedAt: number) => ({ conversationId, title: conversationId, updatedAt });

describe("unread marks", () => {
  const seen: Seen = { "*": 100, a: 200 };
  it.each([["a", 150, false], ["a", 201, true], ["b", 99, false], ["b", 101, true]])(
    "of %s changed at %i: %s", (id, at, unread) => expect(isUnread(item(id, at), seen)).toBe(unread));

  it("go when the conversation is shown, and come back with news", () => {
    const [news] = withNews([item("a", 150)], "a", 300);
    const shown = withSeen(seen, news!);
    expect([isUnread(news!, seen), isUnread(news!, shown), isUnread(withNews([news!], "a", 400)[0]!, shown)]).toEqual([true, false, true]);
  });

  it("change nothing when nothing is new", () => expect(withSeen(seen, item("a", 150))).toBe(seen));
});
