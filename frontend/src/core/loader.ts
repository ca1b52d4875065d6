/** Fetches saved messages into the store, at most one call at a time for each conversation. */
import type { Page } from "../api";
import type { Conversation } from "./conversation";
import { mergeNewestPage, mergeOlderPage, oldestSaved, savedIds, type Ids } from "./history";
import type { Store } from "./state";

export type ReadPage = (conversationId: string, before?: string | null, limit?: number) => Promise<Page>;

/** The most that the server gives in one page. */
const MOST = 50;

interface Fetch {
  done: Promise<boolean>;
  /** Asked for since it began: what it brings may be older than the reason to ask. */
  again: boolean;
}

export class Loader {
  #newest = new Map<string, Fetch>();
  #older = new Map<string, Promise<boolean>>();
  /** Conversations that may lack something, with what was known before there was no connection. */
  #stale = new Map<string, Ids | undefined>();

  constructor(private readonly store: Store, private readonly page: ReadPage) {}

  /** There was no connection: whatever was loaded before may lack what others wrote meanwhile. */
  missed(): void {
    for (const conversation of Object.values(this.store.state.conversations)) {
      const { id, load } = conversation;
      if (!this.#stale.has(id)) this.#stale.set(id, load === "loaded" ? savedIds(conversation) : undefined);
    }
  }

  /** Fetches what is not here, or may not be all here. */
  open(id: string): void {
    const { load } = this.store.conversation(id);
    if (load === "new" || load === "failed" || this.#stale.has(id)) void this.newest(id);
  }

  /** True when all that was saved by the time of the call is here; false when that failed. */
  newest(id: string): Promise<boolean> {
    const running = this.#newest.get(id);
    if (running) {
      running.again = true;
      return running.done;
    }
    const fetch: Fetch = { again: true, done: Promise.resolve(false) };
    this.#newest.set(id, fetch);
    fetch.done = this.#fetch(id, fetch);
    return fetch.done;
  }

  async #fetch(id: string, fetch: Fetch): Promise<boolean> {
    let complete = false;
    while (fetch.again) {
      fetch.again = false;
      complete = await this.#fetchOnce(id);
    }
    this.#newest.delete(id);
    return complete;
  }

  async #fetchOnce(id: string): Promise<boolean> {
    if (this.store.conversation(id).load !== "loaded") this.#setLoad(id, "loading");
    const before = this.#stale.get(id);
    this.#stale.delete(id);
    try {
      const page = await this.page(id);
      this.store.update(id, (conversation) => mergeNewestPage(conversation, page, before));
      return true;
    } catch (error) {
      // A conversation without a message yet is not saved anywhere.
      const missing = (error as { code?: string }).code === "NOT_FOUND";
      if (this.store.conversation(id).load !== "loaded") this.#setLoad(id, missing ? "loaded" : "failed");
      if (!missing) this.#stale.set(id, before ?? this.#stale.get(id));
      return missing;
    }
  }

  /** False when it failed; the cursor is still there, so asking again is the way. */
  older(id: string, limit?: number): Promise<boolean> {
    const { before } = this.store.conversation(id);
    if (!before) return Promise.resolve(true);
    const running = this.#older.get(id) ?? this.#fetchOlder(id, before, limit).finally(() => this.#older.delete(id));
    this.#older.set(id, running);
    return running;
  }

  /** Fetches older messages until those of a time are here, or the beginning, or `stopped`. False when that failed. */
  async back(id: string, at: number, stopped: () => boolean): Promise<boolean> {
    if (this.store.conversation(id).load !== "loaded" && !await this.newest(id)) return false;
    while (!stopped() && this.store.conversation(id).before && oldestSaved(this.store.conversation(id)) >= at) {
      if (!await this.older(id, MOST)) return false;
    }
    return true;
  }

  async #fetchOlder(id: string, before: string, limit?: number): Promise<boolean> {
    try {
      const page = await this.page(id, before, limit);
      this.store.update(id, (conversation) => mergeOlderPage(conversation, page));
      return true;
    } catch {
      return false;
    }
  }

  #setLoad(id: string, load: Conversation["load"]): void {
    this.store.update(id, (conversation) => ({ ...conversation, load }));
  }
}
