import type { ConversationPatch, ConversationSummary } from "../../api";
import type { Translate } from "../../i18n";
import type { ConversationFrame } from "../../protocol/frames";
import { titleOf } from "./titles";

export type GroupKey = "pinned" | "today" | "yesterday" | "thisWeek" | "earlier";
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

/** Pinned ones first, whatever their day; each group newest first. */
export function group(items: readonly ConversationSummary[], now: number): Group[] {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const keyOf = (at: number): GroupKey => {
    if (at >= midnight) return "today";
    if (at >= midnight - DAY_MS) return "yesterday";
    return at >= midnight - 7 * DAY_MS ? "thisWeek" : "earlier";
  };
  const groups: Group[] = [];
  const pins = (item: ConversationSummary) => Number(item.pinned ?? false);
  for (const item of items.toSorted((a, b) => pins(b) - pins(a) || b.updatedAt - a.updatedAt)) {
    const key = item.pinned ? "pinned" : keyOf(item.updatedAt);
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
  return [{ ...before, conversationId: id, title, preview, updatedAt: at }, ...known.filter((item) => item !== before)];
}

/** The list after the agent has spoken in a conversation. */
export function withNews(known: readonly ConversationSummary[], id: string, at: number): ConversationSummary[] {
  return known.map((item) => (item.conversationId === id ? { ...item, updatedAt: Math.max(item.updatedAt, at) } : item));
}

/** A conversation with a change; what is taken back is not there any more. */
export function patched(item: ConversationSummary, { title, model, pinned }: ConversationPatch): ConversationSummary {
  const next = { ...item, ...(title === undefined ? {} : { title }) };
  if (model === null) delete next.model;
  else if (model !== undefined) next.model = model;
  if (pinned === false) delete next.pinned;
  else if (pinned) next.pinned = true;
  return next;
}

/** The list after a conversation was changed or deleted, here or elsewhere. */
export function withFrame(known: readonly ConversationSummary[], frame: ConversationFrame): ConversationSummary[] {
  const { conversationId, title, updatedAt, model = null, pinned = false } = frame;
  const before = known.find((item) => item.conversationId === conversationId);
  const others = known.filter((item) => item !== before);
  const preview = frame.preview === undefined ? {} : { preview: frame.preview };
  return frame.deleted ? others : [patched({ ...before, conversationId, title, updatedAt, ...preview }, { model, pinned }), ...others];
}
