import { describe, expect, it } from "vitest";
import { ABILITIES, KOREAN, why } from "./abilities";

describe("what works here", () => {
  it("has each reason in Korean, and none that nobody gives", () => {
    expect(Object.keys(KOREAN).sort()).toEqual([...new Set(ABILITIES.map((one) => one.why))].sort());
  });
  it("is told in the person's language", () => {
    const read = ABILITIES.find((one) => one.name === "read")!;
    expect([why(read, "en"), why(read, "ko")]).toEqual(["reads files", "파일을 읽습니다"]);
  });
});
