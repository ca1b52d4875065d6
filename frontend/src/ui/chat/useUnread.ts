import { createContext, useContext, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { useChat, useSession } from "../context";
import { useConversations } from "../queries";
import { isUnread, loadSeen, saveSeen, withSeen } from "./unread";

const watchVisibility = (changed: () => void) => {
  document.addEventListener("visibilitychange", changed);
  return () => document.removeEventListener("visibilitychange", changed);
};

/** The conversations with something new, by id. What is shown in a visible tab counts as seen. */
export function useUnread(): ReadonlySet<string> {
  const { user } = useSession();
  const current = useChat("current");
  const { data } = useConversations();
  const visible = useSyncExternalStore(watchVisibility, () => document.visibilityState === "visible");
  const [seen, setSeen] = useState(() => loadSeen(user.sub, Date.now()));
  const open = data?.find((item) => item.conversationId === current);
  useEffect(() => {
    if (visible && open) setSeen((known) => withSeen(known, open));
  }, [visible, open]);
  useEffect(() => saveSeen(user.sub, seen), [user.sub, seen]);
  return useMemo(
    () => new Set((data ?? []).filter((item) => isUnread(item, seen) && !(visible && item === open)).map((item) => item.conversationId)),
    [data, seen, visible, open],
  );
}

export const UnreadContext = createContext<ReadonlySet<string>>(new Set());
export const useUnreadIds = () => useContext(UnreadContext);
