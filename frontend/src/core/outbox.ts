/**
 * Messages that the server has not acknowledged. Kept per tab in sessionStorage, so
 * that a reload neither loses one nor sends it under a new id.
 */
import type { OutgoingMessage } from "../protocol/frames";

export interface OutboxEntry extends OutgoingMessage {
  createdAt: number;
}

export type KeyValue = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export class Outbox {
  #entries: OutboxEntry[];

  constructor(private readonly storage: KeyValue, private readonly key: string) {
    this.#entries = this.#read();
  }

  get entries(): readonly OutboxEntry[] {
    return this.#entries;
  }

  add(entry: OutboxEntry): void {
    if (this.#entries.some((known) => known.id === entry.id)) return;
    this.#entries = [...this.#entries, entry];
    this.#write();
  }

  /** Acknowledged or refused: either way it is never sent again. */
  remove(id: string): OutboxEntry | undefined {
    const entry = this.#entries.find((known) => known.id === id);
    if (!entry) return undefined;
    this.#entries = this.#entries.filter((known) => known.id !== id);
    this.#write();
    return entry;
  }

  clear(): void {
    this.#entries = [];
    this.storage.removeItem(this.key);
  }

  #read(): OutboxEntry[] {
    try {
      const value: unknown = JSON.parse(this.storage.getItem(this.key) ?? "[]");
      return Array.isArray(value) ? value.filter(isEntry) : [];
    } catch {
      return [];
    }
  }

  #write(): void {
    try {
      this.storage.setItem(this.key, JSON.stringify(this.#entries));
    } catch {
      // The quota is about 5 MB, and images can fill it. Text still survives a reload;
      // the entry with its images stays in memory.
      this.#writeTextOnly();
    }
  }

  #writeTextOnly(): void {
    try {
      const bare = this.#entries.filter((entry) => !entry.attachments?.length);
      this.storage.setItem(this.key, JSON.stringify(bare));
    } catch {
      this.storage.removeItem(this.key);
    }
  }
}

function isEntry(value: unknown): value is OutboxEntry {
  if (typeof value !== "object" || value === null) return false;
  const raw = value as Record<string, unknown>;
  return typeof raw["id"] === "string" && typeof raw["text"] === "string" && typeof raw["conversationId"] === "string";
}
