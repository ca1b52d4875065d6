import { describe, expect, it, vi } from "vitest";

const kept = new Map<string, string>();
vi.mock("../preferences", () => ({
  localStore: { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) },
}));

describe("the folders that are closed", () => {
  it("are kept for this browser, the latest 200, and what is damaged is all open", async () => {
    kept.set("folded", '{"no": "list"');
    const { foldedNow, setFolded } = await import("./folded");
    expect(foldedNow().size).toBe(0);
    for (let n = 0; n < 205; n += 1) setFolded(`f${n}`, true);
    setFolded("f204", false);
    expect([foldedNow().has("f4"), foldedNow().has("f5"), foldedNow().has("f203"), foldedNow().has("f204")]).toEqual([false, true, true, false]);
    expect(JSON.parse(kept.get("folded") ?? "")).toEqual([...foldedNow()]);
  });
});
