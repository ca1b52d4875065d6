import type { ConversationSummary } from "../../api";
import { localStore } from "../preferences";

/** When this browser last showed a conversation, by its id; `*` is when it began to keep account. */
export type Seen = Readonly<Record<string, number>>;

const MOST = 500;
const keyOf = (userId: string) => `seen.${userId}`;

export function loadSeen(userId: string, now: number): Seen {
  try {
    const known: unknown = JSON.parse(localStore.getItem(keyOf(userId)) ?? "");
    if (typeof known === "object" && known !== null) return known as Seen;
  } catch { /* nothing is kept yet, or it is damaged: from now on */ }
  return { "*": now };
}

export function saveSeen(userId: string, seen: Seen): void {
  const latest = Object.entries(seen).sort(([, a], [, b]) => b - a).slice(0, MOST);
  localStore.setItem(keyOf(userId), JSON.stringify({ ...Object.fromEntries(latest), "*": seen["*"] ?? 0 }));
}

/** Whether something happened in a conversation since it was last shown here. */
export function isUnread(item: ConversationSummary, seen: Seen): boolean {
  return item.updatedAt > Math.max(seen[item.conversationId] ?? 0, seen["*"] ?? 0);
}

/** Everything in this conversation up to now has been seen. */
export function withSeen(seen: Seen, item: ConversationSummary): Seen {
  return isUnread(item, seen) ? { ...seen, [item.conversationId]: item.updatedAt } : seen;
}
