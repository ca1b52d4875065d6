import { useEffect, useState, type ReactNode } from "react";
import { useText } from "../../i18n";
import { useChat, useSession } from "../context";
import { useNow } from "../useNow";

/** A planned reopen takes a moment; only what lasts longer is worth telling. */
const QUIET_MS = 1500;

/** The connection, silent while it works. */
export function ConnectionBar(): ReactNode {
  const text = useText();
  const { client } = useSession();
  const { state, retryAt } = useChat("connection");
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (state !== "connecting") return;
    const timer = setTimeout(() => setLate(true), QUIET_MS);
    return () => clearTimeout(timer);
  }, [state]);
  const now = useNow(state === "waiting");
  const shown = state === "offline" || state === "waiting" || (state === "connecting" && late);
  return (
    <div
      className={shown ? "connection" : "visually-hidden"} role="status"
      data-testid="connection" data-state={state}
    >
      {state === "open" && text("connected")}
      {state === "connecting" && text("connecting")}
      {state === "offline" && text("offline")}
      {state === "waiting" && <>
        {/* Told once, not every second: the count is for the eye only. */}
        <span aria-hidden="true">{text("reconnecting", { seconds: Math.max(1, Math.ceil(((retryAt ?? now) - now) / 1000)) })}</span>
        <button type="button" className="link" onClick={() => client.socket.wake()}>{text("reconnectNow")}</button>
      </>}
    </div>
  );
}
