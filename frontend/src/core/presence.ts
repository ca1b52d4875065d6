/** Tells the server whether somebody looks at this tab: while a tab is visible, no push is sent. */

/** The server forgets it after 150 s (chalicelib/wire/connections.py): a machine that sleeps cannot say that it does. */
const EVERY_MS = 120_000;

export class Presence {
  #visible = false;
  #said: number | null = null;

  constructor(private readonly send: (frame: object) => boolean, private readonly now: () => number) {}

  set(visible: boolean): void {
    if (visible === this.#visible) return;
    this.#visible = visible;
    this.#say();
  }

  /** A new connection knows nothing of this tab, and takes it for a hidden one. */
  connected(): void {
    this.#said = null;
    if (this.#visible) this.#say();
  }

  tick(): void {
    if (this.#visible && (this.#said === null || this.now() - this.#said >= EVERY_MS)) this.#say();
  }

  #say(): void {
    this.#said = this.send({ action: "visible", visible: this.#visible }) ? this.now() : null;
  }
}
