import { describe, expect, it } from "vitest";
import { translator } from "../../i18n";
import { conversationInHash, hashFor } from "../route";
import { asked, foldersOf, group, matching, patched, withCurrent, withFrame } from "./listing";

describe("the list of conversations", () => {
  const text = translator("en");
  const noon = new Date(2026, 10, 20, 12).getTime();
  const hour = 3_600_000;
  const item = (conversationId: string, ago: number, title = conversationId, preview = "") =>
    ({ conversationId, title, preview, updatedAt: noon - ago * hour });

  it("is grouped by day, newest first", () => {
    const groups = group([item("old", 2000), item("now", 1), item("eve", 20), item("week", 80)], noon);
    expect(groups.map(({ key, items }) => [key, items[0]?.conversationId]))
      .toEqual([["today", "now"], ["yesterday", "eve"], ["thisWeek", "week"], ["earlier", "old"]]);
  });
  it("begins with what is pinned, whatever its day", () => {
    const groups = group([item("now", 1), { ...item("old", 2000), pinned: true }, { ...item("eve", 20), pinned: true }], noon);
    expect(groups.map(({ key, items }) => [key, ...items.map((one) => one.conversationId)])).toEqual([["pinned", "eve", "old"], ["today", "now"]]);
  });
  it("has the folders between the pinned ones and the days, by name", () => {
    const filed = (id: string, ago: number, folder: string) => ({ ...item(id, ago), folder });
    const all = [item("now", 1), filed("a", 5, "Work"), filed("b", 2000, "Home 10"), filed("c", 3, "Work"), filed("d", 1, "Home 9"),
      { ...filed("e", 3, "Alone"), pinned: true }];
    expect(group(all, noon).map(({ key, folder, items }) => [folder ?? key, ...items.map((one) => one.conversationId)]))
      .toEqual([["pinned", "e"], ["Home 9", "d"], ["Home 10", "b"], ["Work", "c", "a"], ["today", "now"]]);
    expect(foldersOf(all, "ko")).toEqual(["Alone", "Home 9", "Home 10", "Work"]);
    const [moved] = withFrame(all, { type: "conversation", conversationId: "a", title: "a", updatedAt: noon });
    expect(moved).not.toHaveProperty("folder");
    expect(patched(patched(item("x", 1), { folder: "Work" }), { folder: null })).toEqual(item("x", 1));
    expect(asked(all, "a", "again", noon)[0]).toMatchObject({ folder: "Work" });
  });
  it("keeps pin and model through a question, and takes what a frame says", () => {
    const chosen = { ...item("a", 9), pinned: true, model: "custom/own" };
    expect(asked([chosen], "a", "again", noon)[0]).toMatchObject({ pinned: true, model: "custom/own", updatedAt: noon });
    const frame = { type: "conversation", conversationId: "a", title: "Tea", updatedAt: noon } as const;
    expect(withFrame([item("b", 1), chosen], { ...frame, pinned: true })).toEqual([{ ...item("a", 0, "Tea"), pinned: true }, item("b", 1)]);
    expect(withFrame([chosen], frame)).toEqual([item("a", 0, "Tea")]);
    expect(withFrame([chosen], { ...frame, deleted: true })).toEqual([]);
  });
  it("shows a change before the server has it", () => {
    const both = patched(item("a", 1), { model: "custom/own", pinned: true });
    expect(both).toEqual({ ...item("a", 1), model: "custom/own", pinned: true });
    expect(patched(both, { title: "Tea" })).toEqual({ ...both, title: "Tea" });
    expect(patched(both, { model: null, pinned: false })).toEqual(item("a", 1));
  });
  it("is searched by every word, in title and preview, whatever the case", () => {
    const all = [item("a", 1, "Trip to Jeju", "pack light"), item("b", 1, "제주 여행")];
    expect(matching(all, "JEJU pack", text, "en")).toHaveLength(1);
    expect(matching(all, "여행", text, "ko")).toHaveLength(1);
    expect(matching(all, "jeju boat", text, "en")).toHaveLength(0);
  });
  it("has a conversation on top as soon as something is asked in it, named by its first question", () => {
    const first = asked([item("a", 1), item("b", 2)], "b", "again", noon);
    expect(first.map((one) => [one.conversationId, one.title])).toEqual([["b", "b"], ["a", "a"]]);
    const [made] = asked([item("a", 1)], "c", `  Plan\nmy   week ${"x".repeat(80)}`, noon);
    expect(made).toMatchObject({ conversationId: "c", updatedAt: noon, title: `Plan my week ${"x".repeat(47)}` });
  });
  it("has the open conversation even before its first message", () => {
    expect(withCurrent([item("a", 1)], "c-new").map((one) => one.conversationId)).toEqual(["c-new", "a"]);
    expect(withCurrent([item("a", 1)], "a")).toHaveLength(1);
  });
});

describe("the address", () => {
  it("names the open conversation", () => expect(conversationInHash(hashFor("c-1"))).toBe("c-1"));
  it.each(["", "#/c/", "#/c/a b", "#/c/" + "x".repeat(65), "#/other"])("falls back to main for %j", (hash) =>
    expect(conversationInHash(hash)).toBe("main"));
});
