import { DEFAULT_CONVERSATION } from "../protocol/frames";

const HASH = /^#\/c\/([A-Za-z0-9_-]{1,64})$/;

/** The open conversation is in the address, so that reload and Back do what people expect. */
export function conversationInHash(hash: string = location.hash): string {
  return HASH.exec(hash)?.[1] ?? DEFAULT_CONVERSATION;
}

export function hashFor(conversationId: string): string {
  return `#/c/${conversationId}`;
}
