import { describe, expect, it } from "vitest";
import { Api, ApiError, type Note } from "../../api";
import { diffLines, draftsOf, hidden, refusal, saving, shownOf, undropped, unreadable } from "./notes";

const note: Note = { name: "SOUL.md", text: "theirs", version: "v1", savedAt: 1, edit: null };
const edit = { id: "1", at: 1, text: "mine", version: "v2" };

describe("memory files", () => {
  it("shows the edit that waits, and in a conflict the agent's text", () => {
    expect(shownOf(note)).toEqual({ text: "theirs", version: "v1" });
    expect(shownOf({ ...note, edit: { ...edit, status: "pending" } })).toEqual({ text: "mine", version: "v2" });
    expect(shownOf({ ...note, edit: { ...edit, status: "applied" } })).toEqual({ text: "mine", version: "v2" });
    expect(shownOf({ ...note, edit: { ...edit, status: "conflict" } })).toEqual({ text: "theirs", version: "v1" });
  });
  it("keeps what was typed for the session that typed it", () => {
    const [one, other] = [new Api("", async () => ""), new Api("", async () => "")];
    draftsOf(one).set("SOUL.md", { text: "half", version: "v1" });
    expect(draftsOf(one).get("SOUL.md")?.text).toBe("half");
    expect(draftsOf(other).size).toBe(0);
  });
  it("says in the person's language what was refused", () => {
    expect(refusal(new ApiError(413, "TOO_LARGE", "x"))).toBe("noteTooLarge");
    expect(refusal(new ApiError(500, "INTERNAL", "x"))).toBeNull();
    expect(refusal(new Error("x"))).toBeNull();
    expect(unreadable(new ApiError(413, "TOO_LARGE", "x"))).toBe("noteTooLargeToShow");
  });
  it("replaces only the text that the person was shown", () => {
    const draft = { text: "mine", version: "v1" };
    expect(saving(draft, { text: "theirs", version: "v1" }, null)).toBe("save");
    expect(saving(draft, { text: "theirs 2", version: "v2" }, null)).toBe("compare");
    expect(saving(draft, { text: "theirs 2", version: "v2" }, "v2")).toBe("replace");
    expect(saving(draft, { text: "theirs 3", version: "v3" }, "v2")).toBe("compare");
  });
  it("says why a file is hidden, and why an edit is not dropped", () => {
    expect([hidden("TOO_LARGE"), hidden("UNSUPPORTED_TYPE")]).toEqual(["noteTooLargeToShow", "noteNotText"]);
    expect(undropped(new ApiError(409, "NOTE_APPLIED", "x"))).toBe("noteApplied");
    expect(undropped(new ApiError(404, "NOT_FOUND", "x"))).toBe("noteDropped");
  });
  it("reads a diff line by line", () => {
    expect(diffLines("@@ -1,2 +1,2 @@\n same\n-old\n+new")).toEqual([
      { kind: "place", sign: "", text: "⋯" }, { kind: "same", sign: " ", text: "same" },
      { kind: "removed", sign: "-", text: "old" }, { kind: "added", sign: "+", text: "new" },
    ]);
  });
});
