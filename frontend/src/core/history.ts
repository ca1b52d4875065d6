/** Joins pages of saved messages to what is known. */
import type { Page } from "../api";
import { onRows, placeLocal, type Conversation } from "./conversation";

/** The newest page. If it does not touch what was known, the hole between them would not show: start over. */
export function mergeNewestPage(conversation: Conversation, page: Page): Conversation {
  const saved = Object.values(conversation.messages).filter((message) => !message.local);
  const touches = page.messages.some((row) => conversation.messages[row.messageId] !== undefined);
  if (conversation.load === "loaded" && saved.length > 0 && (touches || page.messages.length === 0)) {
    return placeLocal(onRows(conversation, page.messages));
  }
  const local = Object.values(conversation.messages).filter((message) => message.local);
  const kept = Object.fromEntries(local.map((message) => [message.id, message]));
  const start: Conversation = { ...conversation, messages: kept, before: page.before ?? null, load: "loaded" };
  return placeLocal(onRows(start, page.messages));
}

export function mergeOlderPage(conversation: Conversation, page: Page): Conversation {
  return { ...onRows(conversation, page.messages), before: page.before ?? null };
}
