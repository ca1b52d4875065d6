import { useMutation } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { ApiError } from "../../api";
import { useText } from "../../i18n";
import type { TextKey } from "../../i18n/en";
import type { AgentState, NoticeFrame } from "../../protocol/frames";
import { StartCard } from "../chat/StartCard";
import { useChat, useSession } from "../context";

type Stage = "loading" | "asleep" | "asked" | "starting" | "stopping" | "next" | "died";

const SAYS: Partial<Record<Stage, TextKey>> = {
  loading: "loading", asked: "wakeStarting", starting: "wakeStarting", stopping: "wakeStopping", next: "wakeNext", died: "wakeDied",
};
const PROBLEMS: Record<string, TextKey> = { CAPACITY: "wakeCapacity", START_FAILED: "wakeFailed", OFFLINE: "wakeOffline" };

/** `asked`: the person has pressed the button. `begun`: a start was seen since then. */
export function stageOf(status: AgentState | undefined, asked: boolean, begun: boolean): Stage {
  switch (status) {
    case undefined: return "loading";
    case "Starting": case "Running": return "starting";
    case "Stopping": return asked ? "next" : "stopping";
    case "Idle": return begun ? "died" : asked ? "asked" : "asleep";
  }
}

/** In a room that needs the running agent: starts it, and shows how far that is. `why`: what it is needed for. */
export function Wake({ why }: { why: TextKey }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const agent = useChat("agent");
  const advice = useChat("advice");
  const [known, setKnown] = useState<NoticeFrame | null>(advice);
  const [begun, setBegun] = useState(false);
  const wake = useMutation({ mutationFn: api.health.wake });
  // A start that follows a container's end can fail after the click was answered.
  const late = advice !== known && wake.isSuccess ? PROBLEMS[advice?.code ?? ""] : undefined;
  const asked = (wake.isPending || wake.isSuccess) && !late;
  const stage = stageOf(agent?.status, asked, begun);
  useEffect(() => { if (stage === "starting") setBegun(true); }, [stage]);
  const press = () => {
    setKnown(advice);
    setBegun(false);
    wake.mutate();
  };
  const problem = wake.error instanceof ApiError && PROBLEMS[wake.error.code];
  return (
    <div className="wake" data-testid="wake" data-stage={stage}>
      <p role="status" className={stage === "starting" ? "visually-hidden" : undefined} data-testid="wake-state">{text(SAYS[stage] ?? why)}</p>
      {stage === "starting" && agent && <StartCard agent={agent} from={1} />}
      {["asleep", "stopping", "died"].includes(stage) && (
        <button type="button" className="button" data-testid="wake-agent" disabled={wake.isPending} onClick={press}>{text("wakeAgent")}</button>
      )}
      {wake.isError && <p className="form-error" role="alert">{problem ? text(problem) : wake.error.message}</p>}
      {late && <p className="form-error" role="alert">{text(late)}</p>}
    </div>
  );
}
