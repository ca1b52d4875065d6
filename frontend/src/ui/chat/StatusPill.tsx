import type { ReactNode } from "react";
import { useText, type Translate } from "../../i18n";
import type { TextKey } from "../../i18n/en";
import type { AgentState, Phase } from "../../protocol/frames";
import { useChat } from "../context";

const STATES: Record<AgentState, TextKey> = {
  Idle: "statusIdle", Starting: "statusStarting", Running: "statusRunning", Stopping: "statusStopping",
};
export const PHASES: Record<Phase, TextKey> = {
  queued: "phaseQueued", starting: "phaseStarting", booting: "phaseBooting",
  restoring: "phaseRestoring", ready: "phaseReady",
};

export function stateText(state: AgentState, text: Translate): string {
  return text(STATES[state] ?? "statusIdle");
}

/** The agent's state in a word; a screen reader hears it change. */
export function StatusPill({ onOpen }: { onOpen(): void }): ReactNode {
  const text = useText();
  const agent = useChat("agent");
  const state = agent?.status ?? "Idle";
  const phase = state === "Starting" ? agent?.phase : undefined;
  return (
    <button type="button" className="pill" data-status={state} onClick={onOpen} data-testid="open-status" aria-haspopup="dialog">
      <span className="pill-dot" aria-hidden="true" />
      <span role="status" data-testid="status" data-status={state} data-phase={phase ?? ""}>
        {agent ? stateText(state, text) : text("loading")}
        {phase && <span className="pill-phase"> · {text(PHASES[phase])}</span>}
      </span>
    </button>
  );
}
