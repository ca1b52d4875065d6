import type { ReactNode } from "react";
import { canSendAgain } from "../../core/conversation";
import type { Shown, Version } from "../../core/versions";
import { useLanguage, useText } from "../../i18n";
import type { Attachment } from "../../protocol/frames";
import { useSession } from "../context";
import { CopyButton } from "../CopyButton";
import { BackIcon, EditIcon, NextIcon, RedoIcon } from "../Icons";
import { ReadAloud } from "./ReadAloud";

export interface RowActions {
  edit(id: string, text: string, attachments: readonly Attachment[]): void;
  /** Shows another version of a turn. */
  choose(version: Version): void;
}

interface Props {
  item: Shown;
  last: boolean;
  actions: RowActions;
}

/** What can be done with a message that is not being written. */
export function MessageActions({ item, last, actions }: Props): ReactNode {
  const { version } = item;
  const settled = item.state !== "streaming" && item.state !== "pending";
  if (!settled && !version) return null;
  return (
    <div className={last || version ? "actions shown" : "actions"}>
      {version && <Versions version={version} onChoose={(at) => actions.choose({ ...version, at })} />}
      {settled && <Settled item={item} last={last} onEdit={actions.edit} />}
    </div>
  );
}

function Settled({ item, last, onEdit }: { item: Shown; last: boolean; onEdit: RowActions["edit"] }): ReactNode {
  const text = useText();
  const { client } = useSession();
  // What was heard can be corrected: then it is sent as text.
  const unsaid = item.attachments?.filter(({ transcript }) => !transcript) ?? [];
  const editable = [item.text, ...(item.attachments ?? []).map(({ transcript }) => transcript)].filter(Boolean).join("\n\n");
  return (
    <>
      <When at={item.createdAt} />
      {item.text && <CopyButton value={item.text} label={text("copyMessage")} />}
      {item.role === "assistant" && item.text && <ReadAloud answer={item.text} files={item.files} />}
      {item.role === "user" && editable && item.cause === undefined && (
        <button
          type="button" className="icon-button small" aria-label={text("edit")} title={text("edit")} data-testid="edit"
          onClick={() => onEdit(item.id, editable, unsaid.filter(canSendAgain))}
        >
          <EditIcon />
        </button>
      )}
      {last && item.again && item.state !== "error" && (
        <button
          type="button" className="icon-button small" aria-label={text("regenerate")} title={text("regenerate")} data-testid="regenerate"
          onClick={() => client.askAgain(item.id)}
        >
          <RedoIcon />
        </button>
      )}
    </>
  );
}

/** "2/3" with a way to the others. The ends stay focusable, or the keyboard would lose its place. */
function Versions({ version: { at, of }, onChoose }: { version: Version; onChoose(at: number): void }): ReactNode {
  const text = useText();
  const step = (by: number) => { if (at + by >= 1 && at + by <= of) onChoose(at + by); };
  return (
    <div className="versions" role="group" aria-label={text("versions")} data-testid="versions">
      <button type="button" className="icon-button small" aria-label={text("versionBefore")} title={text("versionBefore")} aria-disabled={at === 1} data-testid="version-before" onClick={() => step(-1)}>
        <BackIcon />
      </button>
      <span role="status" aria-label={text("versionOf", { at, of })}>{at}/{of}</span>
      <button type="button" className="icon-button small" aria-label={text("versionAfter")} title={text("versionAfter")} aria-disabled={at === of} data-testid="version-after" onClick={() => step(1)}>
        <NextIcon />
      </button>
    </div>
  );
}

function When({ at }: { at: number }): ReactNode {
  const language = useLanguage();
  if (!at) return null;
  const date = new Date(at);
  const today = date.toDateString() === new Date().toDateString();
  const shown = new Intl.DateTimeFormat(language, today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
  return <time className="when" dateTime={date.toISOString()}>{shown.format(date)}</time>;
}
