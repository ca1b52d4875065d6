import { memo, type ReactNode } from "react";
import { useText } from "../../i18n";
import { Markdown } from "../../markdown/Markdown";
import type { ProgressCard } from "../../protocol/frames";

const STATES = { pending: "progressPending", running: "workRunning", done: "workDone" } as const;

/** How far the agent is, in its own words: open while it works, folded afterwards. */
export const Progress = memo(function Progress({ card, live }: { card: ProgressCard; live: boolean }): ReactNode {
  const text = useText();
  const { steps = [], note, bar } = card;
  const done = steps.filter((step) => step.state === "done").length;
  const title = [text("progressTitle"), steps.length > 0 && text("progressSteps", { done: String(done), count: String(steps.length) })];
  return (
    <details key={String(live)} className="work card" data-testid="card" open={live}>
      <summary>{title.filter(Boolean).join(" · ")}</summary>
      {bar && <label>{bar.label} <progress value={bar.value} max={bar.max} aria-label={bar.label || text("progressTitle")} /></label>}
      {steps.length > 0 && (
        <ol>
          {steps.map((step, at) => (
            <li key={at} data-testid="card-step" data-state={step.state}>
              <span className="work-mark" role="img" aria-label={text(STATES[step.state])} /> <span dir="auto">{step.text}</span>
            </li>
          ))}
        </ol>
      )}
      {note && <Markdown text={note} streaming={false} />}
    </details>
  );
});
