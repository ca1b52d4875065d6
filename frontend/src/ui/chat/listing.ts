import type { ConversationSummary } from "../../api";
import type { Translate } from "../../i18n";
import { titleOf } from "./titles";

export type GroupKey = "today" | "yesterday" | "thisWeek" | "earlier";
export interface Group { key: GroupKey; items: ConversationSummary[] }

const DAY_MS = 86_400_000;

/** The open conversation is listed even before its first message is saved. */
export function withCurrent(known: readonly ConversationSummary[], current: string): ConversationSummary[] {
  if (known.some((item) => item.conversationId === current)) return [...known];
  return [{ conversationId: current, title: "", updatedAt: Date.now() }, ...known];
}

/** Those whose title or preview has every word of the query. */
export function matching(
  known: readonly ConversationSummary[], query: string, text: Translate, locale: string,
): ConversationSummary[] {
  const words = query.toLocaleLowerCase(locale).split(/\s+/).filter(Boolean);
  return known.filter((item) => {
    const hay = `${titleOf(item, item.conversationId, text)} ${item.preview ?? ""}`.toLocaleLowerCase(locale);
    return words.every((word) => hay.includes(word));
  });
}

export function group(items: readonly ConversationSummary[], now: number): Group[] {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const keyOf = (at: number): GroupKey => {
    if (at >= midnight) return "today";
    if (at >= midnight - DAY_MS) return "yesterday";
    return at >= midnight - 7 * DAY_MS ? "thisWeek" : "earlier";
  };
  const groups: Group[] = [];
  for (const item of items.toSorted((a, b) => b.updatedAt - a.updatedAt)) {
    const key = keyOf(item.updatedAt);
    const last = groups.at(-1);
    if (last?.key === key) last.items.push(item);
    else groups.push({ key, items: [item] });
  }
  return groups;
}

const TITLE_LENGTH = 60;

/** The list after a question: its conversation on top, named by its first question as the server names it. */
export function asked(known: readonly ConversationSummary[], id: string, text: string, at: number): ConversationSummary[] {
  const preview = text.trim().replace(/\s+/g, " ");
  const before = known.find((item) => item.conversationId === id);
  const title = before?.title || [...preview].slice(0, TITLE_LENGTH).join("") || "…";
  return [{ conversationId: id, title, preview, updatedAt: at }, ...known.filter((item) => item !== before)];
}

/** The list after the agent has spoken in a conversation. */
export function withNews(known: readonly ConversationSummary[], id: string, at: number): ConversationSummary[] {
  return known.map((item) => (item.conversationId === id ? { ...item, updatedAt: Math.max(item.updatedAt, at) } : item));
}
