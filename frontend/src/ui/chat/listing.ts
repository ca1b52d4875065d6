import type { ConversationPatch, ConversationSummary } from "../../api";
import type { Translate } from "../../i18n";
import type { ConversationFrame } from "../../protocol/frames";
import { titleOf } from "./titles";

export type GroupKey = "pinned" | "today" | "yesterday" | "thisWeek" | "earlier";
/** `folder`: its name, in place of a day. */
export interface Group { key: GroupKey | "folder"; folder?: string; items: ConversationSummary[] }

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

/** The names of all folders, in the order of the language. */
export function foldersOf(known: readonly ConversationSummary[], locale: string): string[] {
  const names = new Set(known.flatMap(({ folder }) => folder ?? []));
  return [...names].sort(new Intl.Collator(locale, { numeric: true }).compare);
}

/** Pinned ones first, whatever their folder and day; then the folders by name, then the days. Each newest first. */
export function group(items: readonly ConversationSummary[], now: number, locale = "en"): Group[] {
  const newest = items.toSorted((a, b) => b.updatedAt - a.updatedAt);
  const pinned = newest.filter((item) => item.pinned);
  const filed = newest.filter((item) => !item.pinned && item.folder);
  const folders = foldersOf(filed, locale).map((folder): Group => (
    { key: "folder", folder, items: filed.filter((item) => item.folder === folder) }));
  const days = byDay(newest.filter((item) => !item.pinned && !item.folder), now);
  return [...(pinned.length > 0 ? [{ key: "pinned" as const, items: pinned }] : []), ...folders, ...days];
}

function byDay(newest: readonly ConversationSummary[], now: number): Group[] {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const keyOf = (at: number): GroupKey => {
    if (at >= midnight) return "today";
    if (at >= midnight - DAY_MS) return "yesterday";
    return at >= midnight - 7 * DAY_MS ? "thisWeek" : "earlier";
  };
  const groups: Group[] = [];
  for (const item of newest) {
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
  return [{ ...before, conversationId: id, title, preview, updatedAt: at }, ...known.filter((item) => item !== before)];
}

/** The list after the agent has spoken in a conversation. */
export function withNews(known: readonly ConversationSummary[], id: string, at: number): ConversationSummary[] {
  return known.map((item) => (item.conversationId === id ? { ...item, updatedAt: Math.max(item.updatedAt, at) } : item));
}

/** A conversation with a change; what is taken back is not there any more. */
export function patched(item: ConversationSummary, { title, model, pinned, folder }: ConversationPatch): ConversationSummary {
  const next = { ...item, ...(title === undefined ? {} : { title }) };
  if (model === null) delete next.model;
  else if (model !== undefined) next.model = model;
  if (pinned === false) delete next.pinned;
  else if (pinned) next.pinned = true;
  if (folder === null) delete next.folder;
  else if (folder !== undefined) next.folder = folder;
  return next;
}

/** The list after a conversation was changed or deleted, here or elsewhere. */
export function withFrame(known: readonly ConversationSummary[], frame: ConversationFrame): ConversationSummary[] {
  const { conversationId, title, updatedAt, model = null, pinned = false, folder = null } = frame;
  const before = known.find((item) => item.conversationId === conversationId);
  const others = known.filter((item) => item !== before);
  const preview = frame.preview === undefined ? {} : { preview: frame.preview };
  if (frame.deleted) return others;
  return [patched({ ...before, conversationId, title, updatedAt, ...preview }, { model, pinned, folder }), ...others];
}
