import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import type { Cost, Costs } from "../../api";
import { forecast } from "../../core/budget";
import { useLanguage, useText } from "../../i18n";
import type { TextKey } from "../../i18n/en";
import { dollars } from "../../i18n/money";
import { useSession } from "../context";
import { keys } from "../queries";

const CAUSES: Record<Costs["parts"][number]["cause"], TextKey> = {
  answers: "costAnswers", itself: "costItself", first: "costFirst",
};

/** Where the month's money went: asked for when it is opened. */
export function CostParts({ cost }: { cost: Cost }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const [open, setOpen] = useState(false);
  const { data, isError } = useQuery({ queryKey: keys.costs, queryFn: api.costs, staleTime: 0, enabled: open });
  return (
    <details data-testid="cost-parts" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{text("costWhere")}</summary>
      {isError && <p role="alert">{text("statusFailed")}</p>}
      {!data && !isError && <p className="muted" role="status">{text("loading")}</p>}
      {data && <Parts costs={data} cost={cost} now={Date.now()} />}
    </details>
  );
}

export function Parts({ costs, cost, now }: { costs: Costs; cost: Cost; now: number }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const known = costs.parts.reduce((sum, part) => sum + part.usd, 0);
  const rest = cost.usd - known;
  const hours = new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(costs.awakeMs / 3_600_000);
  const coming = forecast(cost.usd, now);
  return (
    <>
      <ul className="cost-parts">
        {costs.parts.map(({ cause, model, usd, calls }) => (
          <li key={`${cause} ${model}`}>
            <strong>{dollars(usd, language)}</strong> {text(CAUSES[cause])} <span className="muted">· {text("costCalls", { model, count: calls })}</span>
          </li>
        ))}
        {rest > 0.005 && <li><strong>{dollars(rest, language)}</strong> {text("costRest")}</li>}
        <li>
          <strong>{dollars(costs.awsUsd, language)}</strong>{" "}
          {costs.pauses === undefined ? text("costAws", { hours }) : text("costAwsPauses", { hours, count: costs.pauses })}
        </li>
      </ul>
      {coming !== null && <p className="muted">{text("costForecast", { amount: dollars(coming, language) })}</p>}
    </>
  );
}
