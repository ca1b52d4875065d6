import { memo, type ReactNode } from "react";
import type { Shown } from "../../core/versions";
import { useText } from "../../i18n";
import { Markdown } from "../../markdown/Markdown";
import { BellIcon } from "../Icons";
import { Attachments } from "./Attachments";
import { Files } from "./Files";
import { MessageActions, type RowActions } from "./MessageActions";
import { MessageNote } from "./MessageNote";
import { Progress } from "./Progress";
import { QuestionCard } from "./QuestionCard";
import { Thinking } from "./Thinking";
import { Work } from "./Work";

interface Props {
  item: Shown;
  last: boolean;
  offline: boolean;
  starting: boolean;
  actions: RowActions;
}

export const MessageRow = memo(function MessageRow({ item, last, offline, starting, actions }: Props): ReactNode {
  const text = useText();
  const user = item.role === "user";
  return (
    <article
      className={`message ${item.role}${item.cause === undefined ? "" : " proactive"}`} aria-label={user ? item.cause ?? text("you") : text("agent")} aria-busy={item.state === "streaming"}
      data-testid="message" data-role={item.role} data-message-id={item.id} data-state={item.state}
    >
      <div className="message-body">
        {item.cause !== undefined && <p className="cause" data-testid="cause" dir="auto"><BellIcon /> {item.cause || text("byItself")}</p>}
        {item.attachments && <Attachments attachments={item.attachments} />}
        {item.question ? <QuestionCard question={item.question} />
          : user ? item.text && <p className="user-text" dir="auto">{item.text}</p> : <Answer item={item} />}
        {item.files && <Files files={item.files} />}
      </div>
      <MessageNote item={item} offline={offline} starting={starting} />
      {!item.question && !item.first && <MessageActions item={item} last={last} actions={actions} />}
    </article>
  );
}, same);

/** Timeline rows are made anew for each draw; only what shows decides. */
function same(a: Props, b: Props): boolean {
  return a.last === b.last && a.offline === b.offline && a.starting === b.starting && a.actions === b.actions
    && sameItem(a.item, b.item);
}

function sameItem(a: Shown, b: Shown): boolean {
  return a.id === b.id && a.slot === b.slot && a.text === b.text && a.state === b.state && a.activity === b.activity
    && a.error === b.error && a.waiting === b.waiting && a.behind === b.behind && a.steered === b.steered
    && a.first === b.first && a.work === b.work && a.thinking === b.thinking && a.card === b.card && a.model === b.model && a.costUsd === b.costUsd && a.again === b.again && a.cause === b.cause && a.question === b.question
    && a.attachments === b.attachments && a.files === b.files
    && a.version?.at === b.version?.at && a.version?.of === b.version?.of;
}

function Answer({ item }: { item: Shown }): ReactNode {
  const text = useText();
  const streaming = item.state === "streaming";
  const { activity } = item;
  return (
    <>
      {item.text && <Markdown text={item.text} streaming={streaming} />}
      {item.card && <Progress card={item.card} live={streaming} />}
      {item.thinking && <Thinking thinking={item.thinking} />}
      {(item.work || item.model) && <Work steps={item.work ?? []} model={item.model} costUsd={item.costUsd} live={streaming} />}
      {streaming && (
        <p className="activity" data-testid="activity">
          <span className="dots" aria-hidden="true"><i /><i /><i /></span>
          {activity?.kind === "tool" && activity.name
            ? text("usingTool", { name: activity.name })
            : text(item.text && activity?.kind !== "thinking" ? "writing" : "thinking")}
        </p>
      )}
    </>
  );
}
