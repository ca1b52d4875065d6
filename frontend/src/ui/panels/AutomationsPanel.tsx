import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import type { Automation, AutomationAction, BackgroundWork } from "../../api";
import { useLanguage, useText } from "../../i18n";
import { Confirm } from "../Confirm";
import { useSession } from "../context";
import { keys } from "../queries";

/** What the agent does by itself and in the background. It can be read and changed while the agent sleeps. */
export function AutomationsPanel(): ReactNode {
  const text = useText();
  const { api } = useSession();
  const { data, isError, refetch } = useQuery({ queryKey: keys.automations, queryFn: api.doing, staleTime: 0 });
  if (isError) {
    return (
      <div role="alert">
        <p>{text("automationsFailed")}</p>
        <button type="button" className="button" onClick={() => void refetch()}>{text("retry")}</button>
      </div>
    );
  }
  if (!data) return <p className="muted" role="status">{text("loading")}</p>;
  return (
    <>
      {data.work.length > 0 && (
        <>
          <h3>{text("workingTitle")}</h3>
          <ul className="automations">{data.work.map((item) => <Working key={item.id} item={item} />)}</ul>
          <h3>{text("automationsTitle")}</h3>
        </>
      )}
      {data.automations.length === 0 && <p className="muted" data-testid="automations-none">{text("automationsNone")}</p>}
      <ul className="automations">{data.automations.map((item) => <Row key={item.id} item={item} />)}</ul>
    </>
  );
}

function useChange(id: string) {
  const { api } = useSession();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (action: AutomationAction | "stop") => api.changeDoing(id, action),
    onSuccess: (changed) => queries.setQueryData(keys.automations, changed),
  });
}

function Working({ item }: { item: BackgroundWork }): ReactNode {
  const text = useText();
  const format = new Intl.DateTimeFormat(useLanguage(), { dateStyle: "medium", timeStyle: "short" });
  const change = useChange(item.id);
  return (
    <li data-testid="working">
      <strong>{text(item.kind === "subagent" ? "workingHelper" : "workingCommand")}</strong>
      <p className="muted" dir="auto">{item.text}</p>
      {item.at > 0 && <p className="muted">{text("workingSince", { time: format.format(item.at) })}</p>}
      {item.asked && <p className="note" role="status">{text("automationAsked")}</p>}
      {change.isError && <p className="form-error" role="alert">{change.error.message}</p>}
      <div className="buttons">
        <button type="button" className="button" data-testid="working-stop" disabled={change.isPending} onClick={() => change.mutate("stop")}>{text("workingStop")}</button>
      </div>
    </li>
  );
}

function Row({ item }: { item: Automation }): ReactNode {
  const text = useText();
  const [asking, setAsking] = useState(false);
  const change = useChange(item.id);
  const button = (action: AutomationAction, label: string, onClick = () => change.mutate(action)) => (
    <button type="button" className="button" data-testid={`automation-${action}`} disabled={change.isPending} onClick={onClick}>{label}</button>
  );
  return (
    <li data-testid="automation">
      <strong dir="auto">{item.name}</strong>
      <p className="muted">{item.schedule || text("automationOnce")}</p>
      <Times item={item} />
      {item.asked && <p className="note" role="status">{text("automationAsked")}</p>}
      {change.isError && <p className="form-error" role="alert">{change.error.message}</p>}
      <div className="buttons">
        {button("run", text("automationRun"))}
        {item.enabled ? button("pause", text("automationPause")) : button("resume", text("automationResume"))}
        {button("delete", text("automationDelete"), () => setAsking(true))}
      </div>
      {asking && (
        <Confirm
          title={text("automationDelete")} body={text("automationDeleteConfirm", { name: item.name })} action={text("automationDelete")}
          onClose={() => setAsking(false)} onConfirm={() => { setAsking(false); change.mutate("delete"); }}
        />
      )}
    </li>
  );
}

function Times({ item }: { item: Automation }): ReactNode {
  const text = useText();
  const format = new Intl.DateTimeFormat(useLanguage(), { dateStyle: "medium", timeStyle: "short" });
  const next = item.enabled && item.nextRunAt ? text("automationNext", { time: format.format(item.nextRunAt) }) : null;
  const last = item.lastRunAt
    ? text("automationLast", { time: format.format(item.lastRunAt), status: item.lastStatus ?? "?" }) : null;
  return (
    <p className="muted">
      {item.enabled ? next : text("automationPaused")}
      {last && <> · {last}</>}
    </p>
  );
}
