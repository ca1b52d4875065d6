import { describe, expect, it } from "vitest";
import type { Item } from "../../core/timeline";
import { beginningOf, dayOf, idsSince } from "./jump";

describe("a jump to a day", () => {
  const item = (id: string, createdAt: number): Item => ({ id, role: "user", text: "", createdAt, state: "done" });

  it("begins at midnight where the reader is", () => {
    expect(beginningOf("2026-11-29")).toBe(new Date(2026, 10, 29).getTime());
    expect(dayOf(new Date(2026, 0, 5, 23, 59).getTime())).toBe("2026-01-05");
  });
  it.each(["", "29.11.2026", "2026-13-45"])("is none for %j", (day) => expect(beginningOf(day)).toBeNaN());
  it("shows the first message of that day, else the next one, else the last one", () => {
    const items = [item("a", 10), item("b", 20), item("c", 30)];
    expect([5, 20, 21, 99].map((at) => idsSince(items, at)[0])).toEqual(["a", "b", "c", "c"]);
    expect(idsSince([], 5)).toEqual([]);
  });
});
