import type { AgentStatus } from "./state";

export interface StartProgress {
  key: "startEta" | "startSoon" | "startLate" | "startUnknown";
  seconds: number;
  /** How much of the estimate has passed, at most 0.97; null when there is no estimate. */
  share: number | null;
}

/** Past the estimate by less than this is still "any moment". */
const LATE_AFTER_S = 5;

/** What can honestly be said of a start: an estimate only while it holds, then the time that passed. */
export function startProgress(agent: AgentStatus, firstSeen: number, now: number): StartProgress {
  const elapsed = Math.max(0, now - startOf(agent, firstSeen)) / 1000;
  if (agent.etaSeconds === undefined) return { key: "startUnknown", seconds: Math.round(elapsed), share: null };
  const left = agent.etaSeconds - (now - agent.receivedAt) / 1000;
  const share = Math.min(0.97, Math.max(0.02, elapsed / Math.max(elapsed + left, 1)));
  if (left >= 1) return { key: "startEta", seconds: Math.round(left), share };
  if (left > -LATE_AFTER_S) return { key: "startSoon", seconds: 0, share };
  return { key: "startLate", seconds: Math.round(elapsed), share };
}

/** The server's start time, unless this machine's clock makes nonsense of it. */
function startOf(agent: AgentStatus, firstSeen: number): number {
  const { startedAt } = agent;
  if (startedAt === undefined || startedAt > firstSeen + 1000 || firstSeen - startedAt > 600_000) return firstSeen;
  return startedAt;
}
