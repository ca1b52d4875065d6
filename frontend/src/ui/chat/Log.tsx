import { memo, useMemo, type ReactNode } from "react";
import { timeline } from "../../core/timeline";
import { useText } from "../../i18n";
import type { Attachment } from "../../protocol/frames";
import { useChat, useSession } from "../context";
import { DownIcon } from "../Icons";
import { EmptyState } from "./EmptyState";
import { MessageRow } from "./MessageRow";
import { Older } from "./Older";
import { StartCard } from "./StartCard";
import { useStickToBottom } from "./useStickToBottom";
import { newConversation } from "../../core/conversation";

interface Props {
  onEdit(text: string, images: Attachment[]): void;
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
  const items = useMemo(() => timeline(conversation), [conversation]);
  const streaming = items.some((item) => item.state === "streaming");
  const waiting = items.some((item) => item.waiting && item.state !== "pending");
  const { scroller, content, atBottom, toBottom } = useStickToBottom(items[0]?.id, items.length);
  const lastAnswer = items.findLast((item) => item.role === "assistant")?.id;
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
          {items.map((item) => (
            <MessageRow
              key={item.id} item={item} onEdit={onEdit} last={item.id === lastAnswer}
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
