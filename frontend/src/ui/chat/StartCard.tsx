import { useRef, type ReactNode } from "react";
import { startProgress } from "../../core/start";
import type { AgentStatus } from "../../core/state";
import { useText } from "../../i18n";
import type { Phase } from "../../protocol/frames";
import { CheckIcon } from "../Icons";
import { useNow } from "../useNow";
import { PHASES } from "./StatusPill";

const ORDER: Phase[] = ["queued", "starting", "restoring", "booting", "ready"];

/** A cold start as it is: which step it is in, and how long past starts took from here. `from`: the first step shown. */
export function StartCard({ agent, from = 0 }: { agent: AgentStatus; from?: number }): ReactNode {
  const text = useText();
  const firstSeen = useRef(agent.receivedAt);
  const now = useNow(true);
  const progress = startProgress(agent, firstSeen.current, now);
  const at = ORDER.indexOf(agent.phase ?? "queued");
  return (
    <section className="start-card" data-testid="start-card" data-phase={agent.phase ?? "queued"} aria-label={text("startTitle")}>
      <h3>{text("startTitle")}</h3>
      <ol>
        {ORDER.slice(from, 4).map((phase, index) => {
          const state = index + from < at ? "done" : index + from === at ? "now" : "next";
          return (
            <li key={phase} data-state={state} aria-current={state === "now" ? "step" : undefined}>
              <span className="step-mark" aria-hidden="true">{state === "done" && <CheckIcon />}</span>
              {text(PHASES[phase])}
            </li>
          );
        })}
      </ol>
      {progress.share !== null && <progress max={1} value={progress.share} aria-label={text("startTitle")} />}
      <p className="muted eta" data-testid="start-eta" aria-live="off">{text(progress.key, { seconds: progress.seconds })}</p>
    </section>
  );
}
