import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { AgentStart } from "../../api";
import { useLanguage, useText } from "../../i18n";
import type { TextKey } from "../../i18n/en";
import { useSession } from "../context";
import { keys } from "../queries";

const KINDS: Record<NonNullable<AgentStart["kind"]>, TextKey> = {
  cold: "startCold", claimed: "startClaimed", early: "startEarly",
};
const ENDS: Record<NonNullable<AgentStart["end"]>, TextKey> = {
  asked: "endAsked", done: "endDone", crashed: "endCrashed", told: "endTold",
};

/** How the agent's last containers started and ended, and what went wrong. */
export function LastStarts(): ReactNode {
  const text = useText();
  const { api } = useSession();
  const { data, isError, refetch } = useQuery({ queryKey: keys.starts, queryFn: api.starts, staleTime: 0 });
  return (
    <section>
      <h3>{text("startsTitle")}</h3>
      {!data && !isError && <p className="muted" role="status">{text("loading")}</p>}
      {isError && (
        <div role="alert">
          <p>{text("startsFailed")}</p>
          <button type="button" className="button" onClick={() => void refetch()}>{text("retry")}</button>
        </div>
      )}
      {data && data.length === 0 && <p className="muted" data-testid="starts-none">{text("startsNone")}</p>}
      {data && data.length > 0 && (
        <ul className="automations" data-testid="starts">
          {data.map((start) => <li key={start.generation} data-state={start.state}><Start start={start} /></li>)}
        </ul>
      )}
    </section>
  );
}

export function Start({ start }: { start: AgentStart }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const { began, ready, restore = 0, gateway = 0, failure, restarts = 0, state, end, ended } = start;
  const time = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const seconds = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const spent = (ms: number) => seconds.format(ms / 1000);
  const troubled = failure !== undefined || state === "failed" || state === "killed" || end === "crashed" || restarts > 0;
  return (
    <>
      <strong>{began ? time.format(began) : text("pastUnknown")}</strong>
      {start.kind && <span className="muted"> · {text(KINDS[start.kind])}</span>}
      {began !== undefined && ready !== undefined && (
        <p className="muted">{text("startReady", { total: spent(ready - began), restore: spent(restore), gateway: spent(gateway) })}</p>
      )}
      {troubled && <p className="note">{text(trouble(start), { count: restarts })}</p>}
      {ended !== undefined && end && end !== "crashed" && <p className="muted">{text(ENDS[end], { time: time.format(ended) })}</p>}
    </>
  );
}

/** What went wrong, and what was done about it. */
function trouble({ failure, state, end }: AgentStart): TextKey {
  if (failure === "memory") return "startNoMemory";
  if (state === "failed") return failure === "openclaw" ? "startNoOpenclaw" : "startNothing";
  if (state === "killed") return "startKilled";
  return end === "crashed" ? "endCrashed" : "startRestarts";
}
