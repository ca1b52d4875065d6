import { memo, useState, type ReactNode } from "react";
import { useLanguage, useText } from "../../i18n";
import { dollars } from "../../i18n/money";
import type { WorkStep } from "../../protocol/frames";

interface Props { steps: readonly WorkStep[]; model?: string | undefined; costUsd?: number | undefined; live: boolean }

/** What the agent did for an answer: one quiet line, and the details for who wants them. */
export const Work = memo(function Work({ steps, model, costUsd, live }: Props): ReactNode {
  const text = useText();
  const language = useLanguage();
  const failed = steps.filter((step) => step.state === "failed").length;
  const seconds = steps.reduce((sum, step) => sum + (step.seconds ?? 0), 0);
  const parts = [
    steps.length > 0 && text(steps.length === 1 ? "workStep" : "workSteps", { count: String(steps.length) }),
    seconds >= 1 && text("workSeconds", { count: String(Math.round(seconds)) }),
    failed > 0 && !live && text("workFailed", { count: String(failed) }),
    model,
    costUsd && text("workCost", { usd: dollars(costUsd, language) }),
  ].filter(Boolean);
  if (parts.length === 0) return null;
  return (
    <details className="work" data-testid="work">
      <summary>{parts.join(" · ")}</summary>
      <ol>{steps.map((step) => <Step key={step.id} step={step} />)}</ol>
    </details>
  );
});

function Step({ step }: { step: WorkStep }): ReactNode {
  const text = useText();
  const [open, setOpen] = useState(false);
  const state = text(({ running: "workRunning", done: "workDone", failed: "workDidFail" } as const)[step.state]);
  return (
    <li data-testid="work-step" data-state={step.state}>
      <button type="button" className="work-head" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="work-mark" role="img" aria-label={state} />
        <strong>{step.name}</strong>
        <span className="work-arguments">{step.arguments.split("\n")[0]}</span>
        {step.seconds !== undefined && <span className="muted">{text("workSeconds", { count: String(step.seconds) })}</span>}
      </button>
      {open && (
        <>
          {step.arguments && <pre tabIndex={0} aria-label={text("workArguments")}>{step.arguments}</pre>}
          {step.result && <pre tabIndex={0} aria-label={text("workResult")}>{step.result}</pre>}
        </>
      )}
    </li>
  );
}
