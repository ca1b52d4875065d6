import { memo, useMemo, useState, type ReactNode } from "react";
import { newConversation } from "../../core/conversation";
import { timeline } from "../../core/timeline";
import { collapse, type Chosen } from "../../core/versions";
import { useText } from "../../i18n";
import { useChat, useSession } from "../context";
import { DownIcon } from "../Icons";
import { EmptyState } from "./EmptyState";
import type { RowActions } from "./MessageActions";
import { MessageRow } from "./MessageRow";
import { Older } from "./Older";
import { StartCard } from "./StartCard";
import { useStickToBottom } from "./useStickToBottom";

interface Props {
  onEdit: RowActions["edit"];
  onSuggest(text: string): void;
}

/** With this many rows the reader may wonder whether there are more. */
const LONG = 20;

export const Log = memo(function Log({ onEdit, onSuggest }: Props): ReactNode {
  const text = useText();
  const { client } = useSession();
  const current = useChat("current");
  const agent = useChat("agent");
  const connection = useChat("connection");
  const known = useChat("conversations")[current];
  const conversation = useMemo(() => known ?? newConversation(current), [known, current]);
  const [chosen, choose] = useState<Chosen>({});
  const items = useMemo(() => timeline(conversation), [conversation]);
  const rows = useMemo(() => collapse(items, chosen), [items, chosen]);
  const actions = useMemo<RowActions>(
    () => ({ edit: onEdit, choose: (version) => choose((known) => ({ ...known, [version.turn]: version })) }), [onEdit]);
  const streaming = items.some((item) => item.state === "streaming");
  const waiting = items.some((item) => item.waiting && item.state !== "pending");
  const { scroller, content, atBottom, toBottom } = useStickToBottom(rows[0]?.slot, rows.length);
  const lastAnswer = rows.findLast((row) => row.role === "assistant" && !row.question)?.slot;
  const empty = items.length === 0;

  return (
    <div className="log-frame">
      <div
        className="log" role="log" aria-label={text("chatLog")} aria-live="polite" aria-busy={streaming}
        tabIndex={0} ref={scroller} data-testid="log"
      >
        <div className="log-content" ref={content}>
          <h2 className="visually-hidden">{text("chatLog")}</h2>
          {conversation.load === "loading" && empty && <p className="muted center" role="status">{text("loading")}</p>}
          {conversation.load === "failed" && (
            <div className="center" role="alert">
              <p>{text("historyFailed")}</p>
              <button type="button" className="button" onClick={() => client.show(current)}>{text("retry")}</button>
            </div>
          )}
          {conversation.load === "loaded" && empty && <EmptyState onSuggest={onSuggest} />}
          {!empty && conversation.load === "loaded" && <Older more={conversation.before !== null} long={items.length > LONG} scroller={scroller} />}
          {rows.map((row) => (
            <MessageRow
              key={row.slot} item={row} actions={actions} last={row.slot === lastAnswer}
              offline={connection.state !== "open"} starting={agent?.status === "Starting"}
            />
          ))}
          {waiting && agent?.status === "Starting" && <StartCard agent={agent} />}
        </div>
      </div>
      {!atBottom && !empty && (
        <button type="button" className="to-bottom" aria-label={text("toBottom")} title={text("toBottom")} onClick={toBottom}>
          <DownIcon />
        </button>
      )}
    </div>
  );
});
