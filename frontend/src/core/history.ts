/** Joins pages of saved messages to what is known. */
import type { Page } from "../api";
import { onRows, placeLocal, type Conversation, type Message } from "./conversation";

export type Ids = ReadonlySet<string>;

/** The messages that the server is known to have. */
export function savedIds({ messages }: Conversation): Ids {
  const saved = Object.values(messages).filter(({ local, after }) => !local || after !== undefined);
  return new Set(saved.map(({ id }) => id));
}

/** When the oldest message that came from the server was written; Infinity: there is none. */
export function oldestSaved({ messages }: Conversation): number {
  return Object.values(messages).reduce((least, { local, createdAt }) => (local ? least : Math.min(least, createdAt)), Infinity);
}

/**
 * The newest page. If it does not touch what was known, the hole between them would not show: start over.
 * `before` is what was known before a time without connection; what came after that touches nothing.
 */
export function mergeNewestPage(conversation: Conversation, page: Page, before?: Ids): Conversation {
  const [oldest] = page.messages;
  const loaded = conversation.load === "loaded";
  const saved = Object.values(conversation.messages).some((message) => !message.local);
  const touches = page.messages.some(({ messageId }) => (before ? before.has(messageId) : conversation.messages[messageId]));
  const newer = loaded && touches ? newerThan(conversation, page) : () => true;
  if (loaded && saved && (touches || !oldest)) return placeLocal(onRows(conversation, page.messages), newer);
  const hole = loaded && oldest && !touches ? before : undefined;
  // What came live since the page was read stays, and so does what this tab sent since.
  const stays = (message: Message) =>
    message.local ? !hole?.has(message.id) : message.createdAt >= (oldest?.createdAt ?? 0);
  const start = { ...keep(conversation, stays), before: page.before ?? null, load: "loaded" as const };
  return placeLocal(onRows(start, page.messages), newer);
}

function keep(conversation: Conversation, stays: (message: Message) => boolean): Conversation {
  const messages = Object.fromEntries(Object.entries(conversation.messages).filter(([, message]) => stays(message)));
  const gone = (id: string) => conversation.messages[id] !== undefined && messages[id] === undefined;
  const runs = Object.fromEntries(
    Object.entries(conversation.runs).filter(([id, run]) => run.state === "streaming" || !gone(id)));
  return { ...conversation, messages, runs };
}

/** Tells of an accepted message of this tab that the page does not hold whether it is newer than the page, not older. */
function newerThan({ messages }: Conversation, page: Page): (message: Message) => boolean {
  const reach = page.before === null ? 0 : page.messages[0]?.createdAt ?? 0;
  const own = page.messages.map((row) => messages[row.messageId]).filter((message) => message?.local);
  const newestOwn = Math.max(...own.map((message) => message?.createdAt ?? 0));
  return ({ after = 0, createdAt }) => after >= reach || (own.length > 0 && createdAt > newestOwn);
}

export function mergeOlderPage(conversation: Conversation, page: Page): Conversation {
  return { ...onRows(conversation, page.messages), before: page.before ?? null };
}
