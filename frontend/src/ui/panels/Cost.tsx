import type { ReactNode } from "react";
import type { Cost as Estimate } from "../../api";
import { budgetState } from "../../core/budget";
import { useLanguage, useText } from "../../i18n";
import { dollars } from "../../i18n/money";
import { useOpenPanel } from "../context";

/** This month's estimate, and how near it is to the limit. */
export function Cost({ cost }: { cost: Estimate | null | undefined }): ReactNode {
  const text = useText();
  const language = useLanguage();
  if (!cost) return <p className="muted" data-testid="cost-none">{text("costNone")}</p>;
  const [year = 0, month = 1] = cost.month.split("-").map(Number);
  const name = new Intl.DateTimeFormat(language, { month: "long", year: "numeric" }).format(new Date(year, month - 1, 1));
  const amount = dollars(cost.usd, language);
  // “At least nothing” says nothing.
  const unknown = !cost.complete && cost.usd === 0;
  return (
    <>
      <p className="cost" data-testid="cost">
        <strong>{unknown ? text("costUnknown") : cost.complete ? amount : text("costAtLeast", { amount })}</strong>{" "}
        {!unknown && <span className="muted">{text("costSoFar", { month: name })}</span>}
      </p>
      {!unknown && <Budget cost={cost} />}
      {!cost.complete && <p className="muted">{unknown ? text("costUnpriced", { month: name }) : text("costPartial")}</p>}
    </>
  );
}

function Budget({ cost }: { cost: Estimate }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const openPanel = useOpenPanel();
  const { limitUsd } = cost;
  if (!limitUsd) return null;
  const { state, percent } = budgetState(cost.usd, limitUsd);
  const limit = dollars(limitUsd, language);
  const used = text("costOfLimit", { percent, limit });
  return (
    <div className="budget" data-testid="budget" data-state={state}>
      <progress max={100} value={Math.min(percent, 100)} aria-label={text("budgetLabel")} aria-valuetext={used} />
      <p className="muted">{used}</p>
      {cost.capUsd !== undefined && <p className="muted">{text("costCap", { limit: dollars(cost.capUsd, language) })}</p>}
      {state !== "fine" && <p className="budget-note">{text(state === "near" ? "budgetNearNote" : "budgetReachedNote")}</p>}
      {state !== "fine" && (
        <button type="button" className="button" data-testid="change-budget" onClick={() => openPanel("settings")}>{text("raiseBudget")}</button>
      )}
    </div>
  );
}
