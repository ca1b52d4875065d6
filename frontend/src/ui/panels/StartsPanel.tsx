import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Start } from "../../api";
import { useLanguage, useText } from "../../i18n";
import type { TextKey } from "../../i18n/en";
import { useSession } from "../context";
import { keys } from "../queries";

const REASONS: Record<string, TextKey> = {
  CAPACITY: "startCapacity", START_FAILED: "startRefused", DIED: "startDied", SILENT: "startSilent", AGENT: "startAgent",
};

/** How the agent's last starts went: phases, failures, and what was done about them. */
export function StartsPanel(): ReactNode {
  const text = useText();
  const { api } = useSession();
  const { data, isError, error, refetch } = useQuery({ queryKey: keys.starts, queryFn: api.starts, staleTime: 0 });
  if (isError) {
    return (
      <div role="alert">
        <p>{text("startsFailed", { message: error.message })}</p>
        <button type="button" className="button" onClick={() => void refetch()}>{text("retry")}</button>
      </div>
    );
  }
  if (!data) return <p className="muted" role="status">{text("loading")}</p>;
  return (
    <>
      <p className="muted">{text("startsIntro")}</p>
      {data.length === 0 && <p className="muted" data-testid="starts-none">{text("startsNone")}</p>}
      <ul className="automations">
        {data.map((start, index) => <Row key={start.id} start={start} next={data[index - 1]} />)}
      </ul>
    </>
  );
}

function Row({ start, next }: { start: Start; next: Start | undefined }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const time = (at: number) => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" }).format(at);
  const seconds = (ms: number) => new Intl.NumberFormat(language, { style: "unit", unit: "second", maximumFractionDigits: 1 }).format(ms / 1000);
  return (
    <li data-testid="start" data-outcome={start.outcome}>
      <strong>{time(start.at)}</strong>
      {start.outcome === "ready" ? (
        <>
          <p>{text("startReady", { time: seconds(start.totalMs) })}{start.early && <> · {text("startEarly")}</>}</p>
          <p className="muted">
            {text("startPhases", { container: seconds(start.containerMs), memory: seconds(start.restoreMs), agent: seconds(start.bootMs) })}
          </p>
          {!start.restored && <p className="form-error">{text("startUnrestored")}</p>}
        </>
      ) : (
        <>
          <p className="form-error">{text(REASONS[start.reason] ?? "startDied")}</p>
          <p className="muted">
            {start.givenUp ? text("startGivenUp") : next ? text("startAgain", { time: time(next.at) }) : text("startWaits")}
          </p>
        </>
      )}
    </li>
  );
}
