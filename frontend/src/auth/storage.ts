import type { KeyValueStorageInterface } from "@aws-amplify/core";

/** Tokens live in this tab's sessionStorage: a reload keeps them, closing the tab forgets them. */
export class TabStorage implements KeyValueStorageInterface {
  constructor(private readonly storage: Storage) {}

  async setItem(key: string, value: string): Promise<void> {
    this.storage.setItem(key, value);
  }
  async getItem(key: string): Promise<string | null> {
    return this.storage.getItem(key);
  }
  async removeItem(key: string): Promise<void> {
    this.storage.removeItem(key);
  }
  async clear(): Promise<void> {
    for (const key of Object.keys(this.entries())) this.storage.removeItem(key);
  }

  /** What the Cognito library keeps, and nothing else of ours. */
  entries(): Record<string, string> {
    const found: Record<string, string> = {};
    for (let i = 0; i < this.storage.length; i += 1) {
      const key = this.storage.key(i);
      if (key?.startsWith("CognitoIdentityServiceProvider.")) found[key] = this.storage.getItem(key) ?? "";
    }
    return found;
  }
}
