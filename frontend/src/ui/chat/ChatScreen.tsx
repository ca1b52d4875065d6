import { lazy, Suspense, useCallback, useEffect, useState, type ReactNode } from "react";
import { useText } from "../../i18n";
import { OpenPanelContext, useChat, useSession, type PanelName } from "../context";
import { ErrorBoundary } from "../ErrorBoundary";
import { useSettings } from "../queries";
import { conversationInHash, hashFor } from "../route";
import { Composer, COMPOSER_ID } from "./Composer";
import { ConnectionBar } from "./ConnectionBar";
import { Header } from "./Header";
import { Log } from "./Log";
import { NoticeBar } from "./NoticeBar";
import { Sidebar } from "./Sidebar";
import { useShortcuts } from "../useShortcuts";
import { useDraft } from "./useDraft";
import { UnreadContext, useUnread } from "./useUnread";

const loadPanel = () => import("../panels/Panel");
const Panel = lazy(loadPanel);

export function ChatScreen(): ReactNode {
  const text = useText();
  const { client } = useSession();
  const current = useChat("current");
  const [menu, setMenu] = useState(false);
  const [panel, setPanel] = useState<PanelName | null>(null);
  const draft = useDraft(current);
  useSettings();
  const unread = useUnread();
  const startNew = useCallback(() => client.startNew(), [client]);
  useShortcuts(startNew, setPanel);
  const openMenu = useCallback(() => setMenu(true), []);
  const closeMenu = useCallback(() => setMenu(false), []);

  useEffect(() => {
    const follow = () => client.show(conversationInHash());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, [client]);
  useEffect(() => {
    if (conversationInHash() !== current) history.pushState(null, "", hashFor(current));
    setMenu(false);
  }, [current]);

  // Fetched ahead, so that a panel opens without a network too.
  useEffect(() => {
    const timer = setTimeout(() => void loadPanel().catch(() => undefined), 2000);
    return () => clearTimeout(timer);
  }, []);

  return (
    <OpenPanelContext value={setPanel}><UnreadContext value={unread}>
      <div className="app">
        <button type="button" className="skip" onClick={() => document.getElementById(COMPOSER_ID)?.focus()}>{text("skip")}</button>
        <Sidebar open={menu} onClose={closeMenu} />
        <div className="main">
          <Header onMenu={openMenu} />
          <main className="chat">
            <NoticeBar />
            <Log key={current} onEdit={draft.edit} onSuggest={draft.fill} />
            <ConnectionBar />
            <Composer draft={draft} />
          </main>
        </div>
        {panel && (
          <ErrorBoundary onClose={() => setPanel(null)}>
            <Suspense><Panel key={panel} name={panel} onClose={() => setPanel(null)} /></Suspense>
          </ErrorBoundary>
        )}
      </div>
    </UnreadContext></OpenPanelContext>
  );
}
