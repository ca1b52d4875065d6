import type { ConversationFrame, LinkFrame, NoticeFrame, ServerFrame } from "../protocol/frames";

/** Who wants to know what comes in, besides the conversations themselves. */
export interface News {
  onConversation?(frame: ConversationFrame): void;
  /** Somebody asked something, here or in another tab. */
  onQuestion?(conversationId: string, text: string): void;
  /** The agent has answered, or says something by itself. */
  onNews?(conversationId: string): void;
  onLink?(frame: LinkFrame): void;
  onAutomations?(): void;
  onMemory?(): void;
  onSaved?(): void;
  onNotice?(frame: NoticeFrame): void;
}

export function tell(news: News, frame: ServerFrame): void {
  switch (frame.type) {
    case "stream_end": return news.onNews?.(frame.conversationId);
    case "message":
      if (frame.role === "user") return news.onQuestion?.(frame.conversationId, frame.cause ?? frame.content);
      return news.onNews?.(frame.conversationId);
    case "conversation": return news.onConversation?.(frame);
    case "link": return news.onLink?.(frame);
    case "automations": return news.onAutomations?.();
    case "memory": return news.onMemory?.();
    case "saved": return news.onSaved?.();
    case "notice": return news.onNotice?.(frame);
    default:
  }
}
