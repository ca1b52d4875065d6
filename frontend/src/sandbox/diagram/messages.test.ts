import { describe, expect, it } from "vitest";
import { MAX_HEIGHT, readSaid } from "./messages";

describe("what the frame of a diagram says", () => {
  it("is taken in its three forms, with limits", () => {
    expect(readSaid({ kind: "ready", more: 1 })).toEqual({ kind: "ready" });
    expect(readSaid({ kind: "drawn", height: 120.2 })).toEqual({ kind: "drawn", height: 121 });
    expect(readSaid({ kind: "drawn", height: 1e9 })).toEqual({ kind: "drawn", height: MAX_HEIGHT });
    expect(readSaid({ kind: "failed", message: "x".repeat(999) })).toEqual({ kind: "failed", message: "x".repeat(300) });
  });
  it.each([null, "ready", {}, { kind: "drawn" }, { kind: "drawn", height: -1 }, { kind: "drawn", height: NaN }, { kind: "failed" }, { kind: "other" }])(
    "is nothing for %j", (data) => expect(readSaid(data)).toBeNull());
});
