import { describe, expect, it } from "vitest";
import { chunk, end } from "./fakes";
import { applyChunk, applyEnd, codePoints, type Run } from "./runs";
import type { ChunkFrame } from "../protocol/frames";

function play(...chunks: ChunkFrame[]): { run: Run; gaps: number } {
  let run: Run | undefined;
  let gaps = 0;
  for (const one of chunks) {
    const step = applyChunk(run, one, 0);
    if (!step) continue;
    run = step.run;
    if (step.gap) gaps += 1;
  }
  if (!run) throw new Error("no run");
  return { run, gaps };
}

describe("a run puts its chunks together exactly once", () => {
  it("appends live chunks in order", () => {
    expect(play(chunk(1, "Hel"), chunk(2, "lo")).run).toMatchObject({ text: "Hello", lastSeq: 2 });
  });

  it("drops a chunk that was seen", () => {
    expect(play(chunk(1, "a"), chunk(2, "b"), chunk(2, "b"), chunk(1, "a")).run.text).toBe("ab");
  });

  it("reports a gap once and keeps what lies beyond it", () => {
    const { run, gaps } = play(chunk(1, "a"), chunk(3, "c"), chunk(4, "d"));
    expect(gaps).toBe(1);
    expect(run).toMatchObject({ text: "a", lastSeq: 1 });
    expect(run.ahead).toHaveLength(2);
  });

  it("joins what lay beyond a gap once a replay fills it", () => {
    const { run } = play(chunk(1, "a"), chunk(3, "c"), chunk(4, "d"), chunk(2, "b"));
    expect(run).toMatchObject({ text: "abcd", lastSeq: 4 });
    expect(run.ahead).toHaveLength(0);
  });

  it("takes a replay that covers several chunks", () => {
    expect(play(chunk(1, "a"), chunk(4, "bcd", { fromSeq: 2 })).run).toMatchObject({ text: "abcd", lastSeq: 4 });
  });

  it("cuts a replay in where it overlaps what arrived meanwhile", () => {
    const { run } = play(chunk(1, "a"), chunk(2, "b"), chunk(3, "c"), chunk(5, "bcde", { fromSeq: 2 }));
    expect(run).toMatchObject({ text: "abcde", lastSeq: 5 });
  });

  it("starts from a full replay after a reload", () => {
    expect(play(chunk(7, "abcdefg", { fromSeq: 1 }), chunk(8, "h")).run).toMatchObject({ text: "abcdefgh", lastSeq: 8 });
  });

  it("replaces the text of a crashed run by that of the new run for the same message", () => {
    const { run } = play(chunk(1, "old te"), chunk(1, "new", { runId: "run-2" }));
    expect(run).toMatchObject({ runId: "run-2", text: "new" });
  });

  it("drops what still arrives from a run that was replaced", () => {
    const { run } = play(chunk(1, "old"), chunk(1, "new", { runId: "run-2" }), chunk(2, " late"));
    expect(run).toMatchObject({ runId: "run-2", text: "new" });
  });
});

describe("the end of a run", () => {
  const { run } = play(chunk(1, "안녕"), chunk(2, "👋"));

  it("is complete when seq and the number of code points agree", () => {
    expect(applyEnd(run, end(3, 3), 0)).toMatchObject({ incomplete: false, run: { state: "done" } });
  });

  it("is incomplete when a chunk before it is missing", () => {
    expect(applyEnd(run, end(4, 3), 0)?.incomplete).toBe(true);
  });

  it("is incomplete when the length differs", () => {
    expect(applyEnd(run, end(3, 4), 0)?.incomplete).toBe(true);
  });

  it("keeps the partial text of a stopped run", () => {
    expect(applyEnd(run, end(3, 3, { reason: "aborted" }), 0)?.run).toMatchObject({ state: "aborted", text: "안녕👋" });
  });

  it("keeps the error of a failed run", () => {
    const error = { code: "PROVIDER_ERROR", message: "overloaded" };
    expect(applyEnd(run, end(3, 3, { reason: "error", error }), 0)?.run).toMatchObject({ state: "error", error });
  });

  it("counts only once", () => {
    const ended = applyEnd(run, end(3, 3), 0)?.run;
    expect(applyEnd(ended, end(3, 3), 0)).toBeNull();
    expect(applyChunk(ended, chunk(3, "late"), 0)).toBeNull();
  });
});

describe("codePoints", () => {
  it.each([["", 0], ["abc", 3], ["한국어", 3], ["👋🏽", 2], ["\ud83d", 1], ["a\udc4bb", 3]])("%j has %i", (text, count) => {
    expect(codePoints(text)).toBe(count);
  });
});
