import { lazy, Suspense, useEffect, useState, type ReactNode } from "react";
import { useChat, useSession } from "../context";
import { conversationInHash, hashFor } from "../route";
import { Composer } from "./Composer";
import { ConnectionBar } from "./ConnectionBar";
import { Header } from "./Header";
import { Log } from "./Log";
import { NoticeBar } from "./NoticeBar";
import { Sidebar } from "./Sidebar";
import { useDraft } from "./useDraft";

const Panel = lazy(() => import("../panels/Panel"));
export type PanelName = "link" | "settings" | "status";

export function ChatScreen(): ReactNode {
  const { client } = useSession();
  const { current } = useChat();
  const [menu, setMenu] = useState(false);
  const [panel, setPanel] = useState<PanelName | null>(null);
  const draft = useDraft(current);

  useEffect(() => {
    const follow = () => client.show(conversationInHash());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, [client]);
  useEffect(() => {
    if (conversationInHash() !== current) history.pushState(null, "", hashFor(current));
    setMenu(false);
  }, [current]);

  return (
    <div className="app">
      <Sidebar open={menu} onClose={() => setMenu(false)} onPanel={setPanel} />
      <div className="main">
        <Header onMenu={() => setMenu(true)} onPanel={setPanel} />
        <main className="chat">
          <NoticeBar />
          <Log key={current} onEdit={draft.edit} onSuggest={draft.fill} />
          <ConnectionBar />
          <Composer draft={draft} />
        </main>
      </div>
      {panel && <Suspense><Panel name={panel} onClose={() => setPanel(null)} /></Suspense>}
    </div>
  );
}
