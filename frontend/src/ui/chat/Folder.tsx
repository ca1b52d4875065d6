import { useId, type ReactNode } from "react";
import type { ConversationSummary } from "../../api";
import { useText } from "../../i18n";
import { FolderIcon, NextIcon } from "../Icons";
import { ConversationItem } from "./ConversationItem";
import { setFolded, useFolded } from "./folded";
import { useUnreadIds } from "./useUnread";

interface Props {
  name: string;
  items: readonly ConversationSummary[];
  /** What was found is shown, whether its folder is closed or not. */
  searching: boolean;
  onOpen?: (() => void) | undefined;
}

/** A folder of the list. Whether it is open is a matter of this browser. */
export function Folder({ name, items, searching, onOpen }: Props): ReactNode {
  const text = useText();
  const id = useId();
  const folded = useFolded().has(name);
  const unread = useUnreadIds();
  const open = searching || !folded;
  const news = !open && items.some((item) => unread.has(item.conversationId));
  return (
    <section data-testid="folder">
      <h2 className="folder-name">
        <button
          type="button" className="folder-head" data-testid="folder-head" aria-expanded={open} aria-controls={id}
          aria-disabled={searching} onClick={() => { if (!searching) setFolded(name, !folded); }}
        >
          <NextIcon />
          <FolderIcon />
          <span className="ellipsis" dir="auto" title={name}>{name}</span>
          {news && <span className="unread" role="img" aria-label={text("unread")} data-testid="folder-unread" />}
          <span className="folder-count"><span className="visually-hidden">{text("conversations")}: </span>{items.length}</span>
        </button>
      </h2>
      <ul id={id} hidden={!open}>
        {open && items.map((item) => <ConversationItem key={item.conversationId} item={item} onOpen={onOpen} />)}
      </ul>
    </section>
  );
}
