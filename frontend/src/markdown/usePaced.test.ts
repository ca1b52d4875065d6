import { describe, expect, it } from "vitest";
import { nextLength, Pace, STEP, STEP_MS } from "./usePaced";

describe("a burst of text", () => {
  it("is drawn in steps, to its end", () => {
    const text = "x".repeat(2 * STEP + 5);
    expect([0, STEP, 2 * STEP].map((drawn) => nextLength(text, drawn))).toEqual([STEP, 2 * STEP, text.length]);
    expect(nextLength("short", 0)).toBe(5);
    expect(nextLength("new run", STEP)).toBe(7);
  });
  it("is not cut inside a character", () => {
    expect(nextLength(`${"x".repeat(STEP - 1)}😀 and more`, 0)).toBe(STEP + 1);
    // At a slow pace too: a step of one must not stop before it for ever.
    expect(nextLength("a😀b", 1, 1)).toBe(3);
  });
});

/** A model of 70 tokens a second: 28 characters in each of the gateway's ten deltas a second, for 8 s. */
const DELTA = 28;
const LENGTH = 80 * DELTA;
/** The Bridge's frames: ten a second for the first second, then gaps that grow (container/bridge/turns/delivery.py). */
const SENT: number[] = [];
for (let at = 0, gap = 100; at < 7_900; at += gap) {
  SENT.push(at);
  if (at >= 1_000) gap = Math.min(gap * 1.2, 280);
}
SENT.push(7_900);
const TEN = [...Array(80).keys()].map((count) => count * 100);
const arrived = (at: number) => Math.min((Math.floor(at / 100) + 1) * DELTA, LENGTH);

interface Drawn { at: number; length: number }

/** When a screen of 60 frames a second draws how much; `ideal` is what the model has said. */
function shown(frames: readonly number[], pace: Pace): Drawn[] {
  const drawn: Drawn[] = [];
  for (let now = 0; now <= 8_000; now += 1_000 / 60) {
    const last = frames.filter((at) => at <= now).at(-1);
    if (last === undefined) continue;
    const length = pace.next("x".repeat(arrived(last)), now);
    if (length > (drawn.at(-1)?.length ?? 0)) drawn.push({ at: now, length });
  }
  return drawn;
}

/** The longest time without a new character, and the most that appear at once, while the answer is written. */
function felt(drawn: Drawn[]) {
  const pairs = drawn.slice(1).map((one, index) => [drawn[index]!, one] as const);
  return {
    gap: Math.max(...pairs.map(([before, one]) => one.at - before.at)),
    jump: Math.max(...pairs.map(([before, one]) => one.length - before.length)),
  };
}

/** How many milliseconds a character is drawn after the gateway has told it, on average. */
function behind(frames: readonly number[], pace: Pace): number {
  const drawn = shown(frames, pace);
  const when = (character: number) => (drawn.find(({ length }) => length > character)?.at ?? 7_900) - Math.floor(character / DELTA) * 100;
  return [...Array(LENGTH).keys()].reduce((sum, character) => sum + when(character), 0) / LENGTH;
}

class AtOnce extends Pace {
  override next(text: string): number {
    return this.all(text);
  }
}

describe("a few chunks a second", () => {
  it("flow more evenly than ten a second that are drawn as they come", () => {
    const ten = felt(shown(TEN, new AtOnce()));
    const few = felt(shown(SENT, new Pace()));
    expect(few.gap).toBeLessThan(ten.gap);
    expect(few.jump).toBeLessThanOrEqual(ten.jump);
    expect(felt(shown(SENT, new AtOnce())).gap, "without the flow it would be felt").toBeGreaterThan(270);
  });

  it("are drawn before the next one comes, and the last one with the end", () => {
    const drawn = shown(SENT, new Pace());
    for (const sent of SENT.slice(0, -1)) {
      const until = sent + 400;
      expect(drawn.filter(({ at }) => at <= until).at(-1)!.length).toBeGreaterThanOrEqual(arrived(sent));
    }
    expect(new Pace().all("x".repeat(LENGTH))).toBe(LENGTH);
  });

  it("are behind what was said by a quarter of a second, and by a line at the end", () => {
    expect(behind(SENT, new Pace())).toBeLessThan(280);
    const before = shown(SENT, new Pace()).findLast(({ at }) => at < 7_900)!;
    expect(LENGTH - before.length).toBeLessThan(120);
  });

  it("begin at once, also after a silence", () => {
    const pace = new Pace();
    expect(pace.next("The first words", 5_000)).toBe(15);
    expect(pace.next("The first words and more", 9_000)).toBeGreaterThan(15);
    expect(pace.next("The first words and more", 9_000 + 2 * STEP_MS)).toBe(24);
  });

  it("begin anew with another run", () => {
    const pace = new Pace();
    pace.next("a text of an earlier try", 0);
    expect(pace.next("another", 10)).toBe(7);
  });

  it("come as they are where little motion is asked for", () => {
    const pace = new Pace();
    expect(pace.chunk("some")).toBe(4);
    expect(pace.chunk("some more words")).toBe(15);
    expect(pace.chunk("x")).toBe(1);
  });
});
