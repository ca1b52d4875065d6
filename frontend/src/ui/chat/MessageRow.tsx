import { memo, type ReactNode } from "react";
import type { Item } from "../../core/timeline";
import { useLanguage, useText } from "../../i18n";
import { Markdown } from "../../markdown/Markdown";
import { answerId, type Attachment } from "../../protocol/frames";
import { useSession } from "../context";
import { CopyButton } from "../CopyButton";
import { EditIcon, RedoIcon } from "../Icons";
import { Images } from "./Images";
import { MessageNote } from "./MessageNote";

interface Props {
  item: Item;
  last: boolean;
  offline: boolean;
  starting: boolean;
  onEdit(text: string, images: Attachment[]): void;
}

export const MessageRow = memo(function MessageRow({ item, last, offline, starting, onEdit }: Props): ReactNode {
  const text = useText();
  const user = item.role === "user";
  return (
    <article
      className={`message ${item.role}`} aria-label={text(user ? "you" : "agent")} aria-busy={item.state === "streaming"}
      data-testid="message" data-role={item.role} data-message-id={item.id} data-state={item.state}
    >
      <div className="message-body">
        {item.attachments && <Images images={item.attachments} />}
        {user ? item.text && <p className="user-text">{item.text}</p> : <Answer item={item} />}
      </div>
      <MessageNote item={item} offline={offline} starting={starting} />
      <Actions item={item} last={last} onEdit={onEdit} />
    </article>
  );
}, same);

/** Timeline rows are made anew for each draw; only what shows decides. */
function same(a: Props, b: Props): boolean {
  return a.last === b.last && a.offline === b.offline && a.starting === b.starting && a.onEdit === b.onEdit
    && a.item.id === b.item.id && a.item.text === b.item.text && a.item.state === b.item.state
    && a.item.activity === b.item.activity && a.item.error === b.item.error
    && a.item.waiting === b.item.waiting && a.item.attachments === b.item.attachments;
}

function Answer({ item }: { item: Item }): ReactNode {
  const text = useText();
  const streaming = item.state === "streaming";
  const { activity } = item;
  return (
    <>
      {item.text && <Markdown text={item.text} streaming={streaming} />}
      {streaming && (
        <p className="activity" data-testid="activity">
          <span className="dots" aria-hidden="true"><i /><i /><i /></span>
          {activity?.kind === "tool" && activity.name
            ? text("usingTool", { name: activity.name })
            : text(item.text ? "writing" : "thinking")}
        </p>
      )}
    </>
  );
}

function Actions({ item, last, onEdit }: Pick<Props, "item" | "last" | "onEdit">): ReactNode {
  const text = useText();
  const { client } = useSession();
  if (item.state === "streaming" || item.state === "pending") return null;
  const question = () => client.questionOf(item.id);
  return (
    <div className={last ? "actions shown" : "actions"}>
      <When at={item.createdAt} />
      {item.text && <CopyButton value={item.text} label={text("copyMessage")} />}
      {item.role === "user" && item.text && (
        <button
          type="button" className="icon-button small" aria-label={text("edit")} title={text("edit")} data-testid="edit"
          onClick={() => onEdit(item.text, item.attachments?.filter((image) => image.content) ?? [])}
        >
          <EditIcon />
        </button>
      )}
      {item.role === "assistant" && last && item.id.endsWith(answerId("")) && (
        <button
          type="button" className="icon-button small" aria-label={text("regenerate")} title={text("regenerate")} data-testid="regenerate"
          onClick={() => { const asked = question(); if (asked) client.send(asked.text, asked.attachments); }}
        >
          <RedoIcon />
        </button>
      )}
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
