import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useText } from "../../i18n";
import { Confirm } from "../Confirm";
import { useChat, useOpenPanel, useSession } from "../context";
import { keys } from "../queries";

/** A new container for an agent that misbehaves; a sleeping one just starts. */
export function StartAnew(): ReactNode {
  const text = useText();
  const { api } = useSession();
  const open = useOpenPanel();
  const queries = useQueryClient();
  const state = useChat("agent")?.status ?? "Idle";
  const asleep = state === "Idle";
  const [asking, setAsking] = useState(false);
  const restart = useMutation({
    mutationFn: api.health.restart,
    onSuccess: () => void queries.invalidateQueries({ queryKey: keys.starts }),
  });
  return (
    <>
      <button
        type="button" className="button" data-testid="restart-agent" disabled={restart.isPending}
        onClick={() => { if (asleep) restart.mutate(); else setAsking(true); }}
      >{text(asleep ? "restartAgentNow" : "restartAgent")}</button>
      {restart.isSuccess && state === "Stopping" && <p className="muted" role="status">{text("restartAgentAsked")}</p>}
      {restart.isError && <p className="form-error" role="alert">{restart.error.message}</p>}
      <p className="muted">{text("restartAgentMemory")}</p>
      <button type="button" className="button" data-testid="go-back" onClick={() => open("memory")}>{text("goBack")}</button>
      {asking && (
        <Confirm
          title={text("restartAgent")} body={text("restartAgentConfirm")} action={text("restartAgent")} onClose={() => setAsking(false)}
          onConfirm={() => { setAsking(false); restart.mutate(); }}
        />
      )}
    </>
  );
}
