import { memo, useMemo, useState, type ReactNode } from "react";
import { useLanguage, useText } from "../../i18n";
import { useChat, useSession } from "../context";
import { CloseIcon, Mark, OutIcon, PlusIcon, SearchIcon } from "../Icons";
import { useConversations } from "../queries";
import { ConversationItem } from "./ConversationItem";
import { Folder } from "./Folder";
import { group, matching, withCurrent } from "./listing";
import { Modal } from "../Modal";
import { useIsPhone } from "../useIsPhone";

interface Props {
  open: boolean;
  onClose(): void;
}

/** Beside the chat on a wide screen, over it on a phone. */
export const Sidebar = memo(function Sidebar({ open, onClose }: Props): ReactNode {
  const text = useText();
  const phone = useIsPhone();
  if (!phone) return <nav className="sidebar" aria-label={text("conversations")}><Content /></nav>;
  if (!open) return null;
  return (
    <Modal label={text("conversations")} className="sidebar-sheet" onClose={onClose}>
      <nav className="sidebar" aria-label={text("conversations")}><Content onClose={onClose} /></nav>
    </Modal>
  );
});

function Content({ onClose }: { onClose?: () => void }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const { client, user, signOut } = useSession();
  const current = useChat("current");
  const { data, isPending, isError, refetch } = useConversations();
  const [query, setQuery] = useState("");
  const groups = useMemo(
    () => group(matching(query ? data ?? [] : withCurrent(data ?? [], current), query, text, language), Date.now(), language),
    [data, current, query, text, language],
  );
  return (
    <>
      <div className="sidebar-head">
        <span className="brand"><Mark /><span>{text("appName")}</span></span>
        {onClose && <button type="button" className="icon-button" aria-label={text("close")} onClick={onClose}><CloseIcon /></button>}
      </div>
      <button type="button" className="button wide new-button" data-testid="new-conversation" onClick={() => { client.startNew(); onClose?.(); }}>
        <PlusIcon />{text("newConversation")}
      </button>
      <div className="search">
        <SearchIcon />
        <input
          type="search" dir="auto" data-testid="conversation-search" aria-label={text("search")} placeholder={text("search")}
          value={query} onChange={(event) => setQuery(event.target.value)}
        />
      </div>
      <div className="conversation-list">
        {isPending && <p className="muted pad" role="status">{text("loading")}</p>}
        {isError && (
          <div className="pad" role="alert">
            <p>{text("listFailed")}</p>
            <button type="button" className="link" onClick={() => void refetch()}>{text("retry")}</button>
          </div>
        )}
        {data && groups.length === 0 && (
          <p className="muted pad" role="status">{query ? text("noMatches", { query }) : text("noConversations")}</p>
        )}
        {groups.map(({ key, folder, items }) => folder === undefined ? (
          <section key={key}>
            {key !== "folder" && <h2>{text(key)}</h2>}
            <ul>{items.map((item) => <ConversationItem key={item.conversationId} item={item} onOpen={onClose} />)}</ul>
          </section>
        ) : <Folder key={`folder ${folder}`} name={folder} items={items} searching={query !== ""} onOpen={onClose} />)}
      </div>
      <div className="sidebar-foot">
        <span className="muted ellipsis" title={user.email}>{user.email}</span>
        <button type="button" className="icon-button" data-testid="sign-out" aria-label={text("signOut")} title={text("signOut")} onClick={() => void signOut()}>
          <OutIcon />
        </button>
      </div>
    </>
  );
}
