import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useLanguage, useText } from "../../i18n";
import { stateText, PHASES } from "../chat/StatusPill";
import { Confirm } from "../Confirm";
import { useChat, useOpenPanel, useSession } from "../context";
import { keys } from "../queries";
import { Cost } from "./Cost";
import { CostParts } from "./CostParts";
import { EarlyStarts } from "./EarlyStarts";
import { LastStarts } from "./LastStarts";
import { OwnLog } from "./OwnLog";
import { StartAnew } from "./StartAnew";
import { OpenConsole } from "./OpenConsole";

export function StatusPanel(): ReactNode {
  const text = useText();
  const { api, user } = useSession();
  const open = useOpenPanel();
  const { data, isError, refetch } = useQuery({ queryKey: keys.status, queryFn: api.status, staleTime: 0 });
  return (
    <>
      <State />
      {user.owner && (
        <section>
          <h3>{text("peopleTitle")}</h3>
          <button type="button" className="button" data-testid="open-people" onClick={() => open("people")}>{text("openPeople")}</button>
        </section>
      )}
      <section>
        <h3>{text("automationsTitle")}</h3>
        <button type="button" className="button" data-testid="open-automations" onClick={() => open("automations")}>{text("openAutomations")}</button>
        <button type="button" className="button" data-testid="open-hooks" onClick={() => open("hooks")}>{text("openHooks")}</button>
      </section>
      <section>
        <h3>{text("skillsTitle")}</h3>
        <button type="button" className="button" data-testid="open-skills" onClick={() => open("skills")}>{text("openSkills")}</button>
      </section>
      <section>
        <h3>{text("filesTitle")}</h3>
        <button type="button" className="button" data-testid="open-files" onClick={() => open("files")}>{text("openFiles")}</button>
      </section>
      <section>
        <h3>{text("memoryTitle")}</h3>
        <button type="button" className="button" data-testid="open-notes" onClick={() => open("notes")}>{text("openNotes")}</button>
        <button type="button" className="button" data-testid="open-memory" onClick={() => open("memory")}>{text("openMemory")}</button>
      </section>
      <section>
        <h3>{text("costTitle")}</h3>
        {data && <Cost cost={data.cost} />}
        {data?.cost && <CostParts cost={data.cost} />}
        {data?.early && <EarlyStarts early={data.early} />}
        {!data && !isError && <p className="muted" role="status">{text("loading")}</p>}
        {isError && (
          <div role="alert">
            <p>{text("statusFailed")}</p>
            <button type="button" className="button" onClick={() => void refetch()}>{text("retry")}</button>
          </div>
        )}
      </section>
      <section>
        <h3>{text("consoleTitle")}</h3>
        <p className="muted">{text("consoleHint")}</p>
        <OpenConsole />
      </section>
      <LastStarts />
      <OwnLog />
    </>
  );
}

function State(): ReactNode {
  const text = useText();
  const language = useLanguage();
  const { api } = useSession();
  const agent = useChat("agent");
  const [asking, setAsking] = useState(false);
  const stop = useMutation({ mutationFn: api.stopAgent });
  const state = agent?.status ?? "Idle";
  const awake = state === "Running" || state === "Starting";
  const since = awake && agent?.startedAt
    ? new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(agent.startedAt) : null;
  return (
    <section>
      <h3>{text("statusLabel")}</h3>
      <p className="state-line" data-status={state} data-testid="agent-state">
        <span className="pill-dot" aria-hidden="true" />
        <strong>{stateText(state, text)}</strong>
        {state === "Starting" && agent?.phase && <span className="muted"> · {text(PHASES[agent.phase])}</span>}
        {since && <span className="muted"> {text("statusSince", { time: since })}</span>}
      </p>
      {stop.isSuccess && state !== "Idle" && <p className="muted" role="status">{text("stopAgentAsked")}</p>}
      {stop.isError && <p className="form-error" role="alert">{stop.error.message}</p>}
      {awake && (
        <button type="button" className="button" data-testid="stop-agent" disabled={stop.isPending} onClick={() => setAsking(true)}>{text("stopAgent")}</button>
      )}
      <StartAnew />
      {asking && (
        <Confirm
          title={text("stopAgent")} body={text("stopAgentConfirm")} action={text("stopAgent")} onClose={() => setAsking(false)}
          onConfirm={() => { setAsking(false); stop.mutate(); }}
        />
      )}
    </section>
  );
}
