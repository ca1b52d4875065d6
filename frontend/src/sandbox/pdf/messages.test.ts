import { describe, expect, it } from "vitest";
import { readSaid } from "./messages";

describe("what the frame of a PDF says", () => {
  it.each([
    { kind: "ready" }, { kind: "opened", pages: 3 }, { kind: "shown", page: 1 }, { kind: "failed", why: "password" },
    { kind: "failed", why: "damaged" }, { kind: "key", key: "Escape" },
  ])("is taken: %j", (said) => expect(readSaid({ ...said, more: 1 })).toEqual(said));
  it("is a damaged file, whatever other reason it gives", () => {
    expect(readSaid({ kind: "failed", why: "<b>" })).toEqual({ kind: "failed", why: "damaged" });
  });
  it.each([null, "ready", {}, { kind: "opened" }, { kind: "opened", pages: 0 }, { kind: "opened", pages: 1.5 },
    { kind: "shown", page: "1" }, { kind: "key", key: "Enter" }, { kind: "other" }])(
    "is nothing for %j", (data) => expect(readSaid(data)).toBeNull());
});
