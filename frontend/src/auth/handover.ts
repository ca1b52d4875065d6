/**
 * sessionStorage belongs to one tab. A new tab asks the other tabs of this origin for the
 * session, so that nobody has to sign in twice. Signing out in one tab signs out in all.
 */
import type { TabStorage } from "./storage";

type Note =
  | { kind: "ask" }
  | { kind: "session"; entries: Record<string, string> }
  | { kind: "signed-out" };

export type Channel = Pick<BroadcastChannel, "postMessage"> & {
  onmessage: ((event: MessageEvent<Note>) => void) | null;
};

const ANSWER_WITHIN_MS = 150;

export class Handover {
  #arrived: (() => void) | null = null;

  constructor(
    private readonly channel: Channel,
    private readonly storage: TabStorage,
    private readonly onSignedOut: () => void,
  ) {
    channel.onmessage = (event) => this.#onNote(event.data);
  }

  /** Takes over another tab's session, if this tab has none and another answers in time. */
  async receive(): Promise<void> {
    if (Object.keys(this.storage.entries()).length > 0) return;
    await new Promise<void>((resolve) => {
      this.#arrived = resolve;
      setTimeout(resolve, ANSWER_WITHIN_MS);
      this.channel.postMessage({ kind: "ask" } satisfies Note);
    });
    this.#arrived = null;
  }

  signedOut(): void {
    this.channel.postMessage({ kind: "signed-out" } satisfies Note);
  }

  #onNote(note: Note): void {
    switch (note.kind) {
      case "ask":
        return this.#share();
      case "session":
        return this.#take(note.entries);
      case "signed-out":
        void this.storage.clear();
        return this.onSignedOut();
    }
  }

  #share(): void {
    const entries = this.storage.entries();
    const signedIn = Object.keys(entries).some((key) => key.endsWith(".idToken"));
    if (signedIn) this.channel.postMessage({ kind: "session", entries } satisfies Note);
  }

  #take(entries: Record<string, string>): void {
    if (!this.#arrived) return;
    for (const [key, value] of Object.entries(entries)) void this.storage.setItem(key, value);
    this.#arrived();
  }
}
