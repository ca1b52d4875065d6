import type { ConversationSummary } from "../../api";
import type { Translate } from "../../i18n";
import { DEFAULT_CONVERSATION } from "../../protocol/frames";

export function titleOf(known: ConversationSummary | undefined, id: string, text: Translate): string {
  if (known?.title) return known.title;
  if (id === DEFAULT_CONVERSATION) return text("mainConversation");
  return known?.preview || text("newConversation");
}
