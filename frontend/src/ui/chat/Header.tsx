import { memo, useEffect, type ReactNode } from "react";
import { useText } from "../../i18n";
import { useChat, useOpenPanel } from "../context";
import { GearIcon, MenuIcon, MoreIcon, PlaneIcon } from "../Icons";
import { useConversations } from "../queries";
import { StatusPill } from "./StatusPill";
import { titleOf } from "./titles";
import { useUnreadIds } from "./useUnread";

interface Props {
  onMenu(): void;
}

export const Header = memo(function Header({ onMenu }: Props): ReactNode {
  const text = useText();
  const open = useOpenPanel();
  const current = useChat("current");
  const { data } = useConversations();
  const title = titleOf(data?.find((item) => item.conversationId === current), current, text);
  const unread = useUnreadIds().size;
  useEffect(() => {
    document.title = `${unread ? `(${unread}) ` : ""}${title} · ${text("appName")}`;
    return () => { document.title = text("appName"); };
  }, [title, text, unread]);
  return (
    <header className="header">
      <button type="button" className="icon-button only-phone" aria-label={text("openMenu")} data-testid="open-menu" onClick={onMenu}>
        <MenuIcon />
      </button>
      <h1 className="header-title" dir="auto">{title}</h1>
      <StatusPill onOpen={() => open("status")} />
      <button type="button" className="icon-button" aria-label={text("openConversation")} title={text("openConversation")} data-testid="open-conversation" onClick={() => open("conversation")}>
        <MoreIcon />
      </button>
      <button type="button" className="icon-button" aria-label={text("openLink")} title={text("openLink")} data-testid="open-link" onClick={() => open("link")}>
        <PlaneIcon />
      </button>
      <button type="button" className="icon-button" aria-label={text("openSettings")} title={text("openSettings")} data-testid="open-settings" onClick={() => open("settings")}>
        <GearIcon />
      </button>
    </header>
  );
});
