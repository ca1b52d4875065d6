import type { ReactNode } from "react";
import type { Item } from "../../core/timeline";
import { useText } from "../../i18n";
import { useOpenPanel, useSession } from "../context";

interface Props {
  item: Item;
  offline: boolean;
  starting: boolean;
}

/** The line under a message that says what is different about it. */
export function MessageNote({ item, offline, starting }: Props): ReactNode {
  const text = useText();
  if (item.role === "assistant") {
    if (item.first) return <p className="note" data-testid="first-answer">{text("firstAnswer")}</p>;
    if (item.state === "aborted") return <p className="note" data-testid="note">{text("stopped")}</p>;
    if (item.state === "done" && !item.text) return <p className="note" data-testid="note">{text("noText")}</p>;
    return item.state === "error" ? <FailedAnswer item={item} /> : null;
  }
  if (item.state === "pending") return <Unsent item={item} offline={offline} />;
  if (item.state === "error") return <Refused item={item} />;
  if (item.steered) return <p className="note" data-testid="note">{text("steered")}</p>;
  if (!item.waiting) return null;
  if (item.error) return <p className="note">{text("waitsNote", { message: item.error.message })}</p>;
  if (starting) return null;
  return item.behind ? <Behind id={item.id} /> : <p className="note">{text("waitingTurn")}</p>;
}

/** It waits for the answer that is being written, unless the person wants it taken in at once. */
function Behind({ id }: { id: string }): ReactNode {
  const text = useText();
  const { client } = useSession();
  return (
    <p className="note" data-testid="note">
      {text("waitsBehind")}{" "}
      <button type="button" className="link" data-testid="send-now" onClick={() => client.sendNow(id)}>{text("sendNow")}</button>
    </p>
  );
}

function FailedAnswer({ item }: { item: Item }): ReactNode {
  const text = useText();
  const { client } = useSession();
  const openPanel = useOpenPanel();
  const { code, message } = item.error ?? { code: "", message: "" };
  const budget = code === "BUDGET_REACHED";
  const said = budget ? text("budgetRefused", { message }) : message ? text("failed", { message }) : text("failedPlain");
  return (
    <div className="note note-error">
      <p role="alert">{said.trim()}</p>
      {(budget || item.again) && (
        <p className="note-actions">
          {budget && <button type="button" className="button" data-testid="raise-budget" onClick={() => openPanel("settings")}>{text("raiseBudget")}</button>}
          {item.again && <button type="button" className="button" data-testid="try-again" onClick={() => client.askAgain(item.id)}>{text("retry")}</button>}
        </p>
      )}
    </div>
  );
}

function Unsent({ item, offline }: { item: Item; offline: boolean }): ReactNode {
  const text = useText();
  const { client } = useSession();
  return (
    <p className="note" data-testid="note">
      {text(offline ? "pendingOffline" : "pendingSending")}{" "}
      {offline && <button type="button" className="link" onClick={() => client.discard(item.id)}>{text("discard")}</button>}
    </p>
  );
}

function Refused({ item }: { item: Item }): ReactNode {
  const text = useText();
  const { client } = useSession();
  return (
    <p className="note note-error" role="alert">
      {text("notSent", { message: item.error?.message ?? "" })}{" "}
      <button type="button" className="link" onClick={() => client.retry(item.id)}>{text("retrySend")}</button>{" "}
      <button type="button" className="link" onClick={() => client.discard(item.id)}>{text("discard")}</button>
    </p>
  );
}
