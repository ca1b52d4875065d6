import { useEffect, useRef, useState, type ReactNode } from "react";
import type { ConversationSummary } from "../../api";
import { useText } from "../../i18n";
import { useChat, useSession } from "../context";
import { Confirm } from "../Confirm";
import { EditIcon, PinIcon, TrashIcon, UnpinIcon } from "../Icons";
import { finishes } from "../keys";
import { useConversationActions } from "../queries";
import { useLongPress } from "../useLongPress";
import { setFolded } from "./folded";
import { titleOf } from "./titles";
import { useUnreadIds } from "./useUnread";

interface Props {
  item: ConversationSummary;
  onOpen?: (() => void) | undefined;
}

export function ConversationItem({ item, onOpen }: Props): ReactNode {
  const text = useText();
  const { client } = useSession();
  const current = useChat("current");
  const { change, remove } = useConversationActions();
  const [mode, setMode] = useState<"shown" | "renaming" | "removing">("shown");
  const { row, held, hold } = useHeld();
  const press = useLongPress(hold);
  const id = item.conversationId;
  const title = titleOf(item, id, text);
  const unread = useUnreadIds().has(id);

  const save = (value: string) => {
    setMode("shown");
    const trimmed = value.trim();
    if (trimmed && trimmed !== item.title) change.mutate({ id, title: trimmed });
  };
  const drop = () => {
    setMode("shown");
    remove.mutate(id, {
      onSuccess: () => {
        client.forget(id);
        if (client.store.state.current === id) client.startNew();
      },
    });
  };

  if (mode === "renaming") return <li><TitleInput title={title} onSave={save} onCancel={() => setMode("shown")} /></li>;
  return (
    <li ref={row} className={held ? "conversation held" : "conversation"} data-testid="conversation-item" data-conversation-id={id} {...press}>
      <button
        type="button" className="conversation-open" aria-current={current === id ? "true" : undefined}
        onClick={() => { client.show(id); onOpen?.(); }}
      >
        <span className="ellipsis" dir="auto" title={title}>{title}</span>
        {unread && <span className="unread" role="img" aria-label={text("unread")} data-testid="unread" />}
      </button>
      <span className="conversation-tools">
        {item.title !== "" && <PinButton item={item} title={title} />}
        <button type="button" className="icon-button small" data-testid="rename" aria-label={`${text("rename")}: ${title}`} title={text("rename")} onClick={() => setMode("renaming")}><EditIcon /></button>
        <button type="button" className="icon-button small" data-testid="delete" aria-label={`${text("remove")}: ${title}`} title={text("remove")} onClick={() => setMode("removing")}><TrashIcon /></button>
      </span>
      {mode === "removing" && (
        <Confirm
          title={text("removeTitle")} body={text("removeBody", { title })} action={text("remove")}
          onConfirm={drop} onClose={() => setMode("shown")}
        />
      )}
    </li>
  );
}

/** The conversation whose pin was pressed by keyboard: its row moves to another group, and the focus goes with it. */
let moving: string | null = null;

function PinButton({ item, title }: { item: ConversationSummary; title: string }): ReactNode {
  const text = useText();
  const { change } = useConversationActions();
  const { conversationId: id, pinned = false, folder } = item;
  const button = useRef<HTMLButtonElement>(null);
  const name = text(pinned ? "unpin" : "pin");
  useEffect(() => {
    if (moving !== id) return;
    moving = null;
    button.current?.focus();
  }, [id]);
  const press = (byKeyboard: boolean) => {
    moving = byKeyboard ? id : null;
    if (byKeyboard && pinned && folder) setFolded(folder, false); // or the focus would go nowhere
    change.mutate({ id, pinned: !pinned });
  };
  return (
    <button
      type="button" className="icon-button small" data-testid="pin" aria-label={`${name}: ${title}`} title={name} ref={button}
      onClick={(event) => press(event.detail === 0)}
    >
      {pinned ? <UnpinIcon /> : <PinIcon />}
    </button>
  );
}

/** A row whose tools a finger has asked for, until another place is touched. */
function useHeld() {
  const row = useRef<HTMLLIElement>(null);
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (!held) return;
    const elsewhere = (event: PointerEvent) => { if (!row.current?.contains(event.target as Node)) setHeld(false); };
    document.addEventListener("pointerdown", elsewhere);
    return () => document.removeEventListener("pointerdown", elsewhere);
  }, [held]);
  return { row, held, hold: () => setHeld(true) };
}

function TitleInput({ title, onSave, onCancel }: { title: string; onSave(value: string): void; onCancel(): void }): ReactNode {
  const text = useText();
  const [value, setValue] = useState(title);
  return (
    <input
      className="title-input" dir="auto" data-testid="title-input" aria-label={text("titleLabel")} value={value} autoFocus maxLength={120}
      onFocus={(event) => event.target.select()} onChange={(event) => setValue(event.target.value)} onBlur={() => onSave(value)}
      onKeyDown={(event) => {
        const how = finishes(event.nativeEvent);
        if (how === "keep") onSave(value);
        if (how === "drop") { event.stopPropagation(); onCancel(); }
      }}
    />
  );
}
