/** Fetches saved messages into the store, at most one call at a time for each conversation. */
import type { Page } from "../api";
import type { Conversation } from "./conversation";
import { mergeNewestPage, mergeOlderPage } from "./history";
import type { Store } from "./state";

export type ReadPage = (conversationId: string, before?: string | null) => Promise<Page>;

export class Loader {
  /** Fetches under way, so that many reasons to fetch make one call. */
  #fetching = new Set<string>();

  constructor(private readonly store: Store, private readonly page: ReadPage) {}

  async newest(id: string): Promise<void> {
    if (this.#fetching.has(id)) return;
    this.#fetching.add(id);
    if (this.store.conversation(id).load !== "loaded") this.#setLoad(id, "loading");
    try {
      const page = await this.page(id);
      this.store.update(id, (conversation) => mergeNewestPage(conversation, page));
    } catch (error) {
      // A conversation without a message yet is not saved anywhere.
      const missing = (error as { code?: string }).code === "NOT_FOUND";
      if (this.store.conversation(id).load !== "loaded") this.#setLoad(id, missing ? "loaded" : "failed");
    } finally {
      this.#fetching.delete(id);
    }
  }

  /** False when it failed; the cursor is still there, so asking again is the way. */
  async older(id: string): Promise<boolean> {
    const { before } = this.store.conversation(id);
    const key = `${id} older`;
    if (!before || this.#fetching.has(key)) return true;
    this.#fetching.add(key);
    try {
      const page = await this.page(id, before);
      this.store.update(id, (conversation) => mergeOlderPage(conversation, page));
      return true;
    } catch {
      return false;
    } finally {
      this.#fetching.delete(key);
    }
  }

  #setLoad(id: string, load: Conversation["load"]): void {
    this.store.update(id, (conversation) => ({ ...conversation, load }));
  }
}
