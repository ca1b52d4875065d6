import { describe, expect, it } from "vitest";
import { startProgress } from "./start";
import type { AgentStatus } from "./state";
import { clockText, endsAt } from "./countdown";

const status = (more: Partial<AgentStatus> = {}): AgentStatus =>
  ({ status: "Starting", phase: "starting", startedAt: 100_000, receivedAt: 104_000, etaSeconds: 20, ...more });

describe("the estimate of a start", () => {
  it("counts down from the last word of the server", () => {
    expect(startProgress(status(), 104_000, 110_000)).toMatchObject({ key: "startEta", seconds: 14 });
  });
  it("says so when it takes longer than past starts did", () => {
    expect(startProgress(status(), 104_000, 125_000).key).toBe("startSoon");
    expect(startProgress(status(), 104_000, 140_000)).toMatchObject({ key: "startLate", seconds: 40 });
  });
  it("invents no estimate when there is none", () => {
    const { etaSeconds: _, ...rest } = status();
    expect(startProgress(rest, 104_000, 110_000)).toMatchObject({ key: "startUnknown", seconds: 10, share: null });
  });
  it("does not trust a start time that this machine's clock makes nonsense of", () => {
    expect(startProgress(status({ startedAt: 9_999_999, etaSeconds: 0 }), 104_000, 120_000).seconds).toBe(16);
  });
  it("never claims to be complete", () => {
    expect(startProgress(status(), 104_000, 900_000).share).toBeLessThan(1);
  });
});

describe("the countdown of a pairing code", () => {
  it("follows the server's time", () => expect(endsAt(400_000, 100_000)).toBe(400_000));
  it("counts five minutes from receipt when the clocks disagree", () => {
    expect(endsAt(100_000, 900_000)).toBe(1_200_000);
    expect(endsAt(9_000_000, 100_000)).toBe(400_000);
  });
  it("reads like a clock", () => expect([clockText(245_000), clockText(9_001), clockText(-5)]).toEqual(["4:05", "0:10", "0:00"]));
});
