import type { ReactNode } from "react";
import type { Item } from "../../core/timeline";
import { useText } from "../../i18n";
import { useSession } from "../context";

interface Props {
  item: Item;
  offline: boolean;
  starting: boolean;
}

/** The line under a message that says what is different about it. */
export function MessageNote({ item, offline, starting }: Props): ReactNode {
  const text = useText();
  const { client } = useSession();
  const message = item.error?.message ?? "";
  if (item.role === "assistant") {
    if (item.state === "aborted") return <p className="note" data-testid="note">{text("stopped")}</p>;
    if (item.state === "error") return <p className="note note-error" role="alert">{message ? text("failed", { message }) : text("failedPlain")}</p>;
    return null;
  }
  if (item.state === "pending") {
    return (
      <p className="note" data-testid="note">
        {text(offline ? "pendingOffline" : "pendingSending")}{" "}
        {offline && <button type="button" className="link" onClick={() => client.discard(item.id)}>{text("discard")}</button>}
      </p>
    );
  }
  if (item.state === "error") {
    return (
      <p className="note note-error" role="alert">
        {text("notSent", { message })}{" "}
        <button type="button" className="link" onClick={() => client.retry(item.id)}>{text("retrySend")}</button>{" "}
        <button type="button" className="link" onClick={() => client.discard(item.id)}>{text("discard")}</button>
      </p>
    );
  }
  if (!item.waiting) return null;
  if (item.error) return <p className="note">{text("waitsNote", { message })}</p>;
  return starting ? null : <p className="note">{text("waitingTurn")}</p>;
}
