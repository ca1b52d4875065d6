import type { ReactNode } from "react";
import type { Early } from "../../api";
import { useLanguage, useText } from "../../i18n";
import { dollars } from "../../i18n/money";

/** What this month's early starts bought. */
export function EarlyStarts({ early }: { early: Early }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const { starts, ready, usd, budgetUsd } = early;
  if (budgetUsd === 0 && starts === 0) return null;
  const cost = text("earlyCost", { amount: dollars(usd, language), budget: dollars(budgetUsd, language) });
  return (
    <p className="muted" data-testid="early">
      {starts === 0 ? text("earlyNone") : text("earlyReady", { ready, starts })} · {cost}
    </p>
  );
}
