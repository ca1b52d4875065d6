/** Tells the server that the person is here and seems about to write: a sleeping agent may start before the message. */

/** A container that is started for it waits that long (chalicelib/lifecycle/early.py). */
const EVERY_MS = 10 * 60_000;

export class Intent {
  #said: number | null = null;
  #wanted = false;

  constructor(private readonly send: (frame: object) => boolean, private readonly now: () => number) {}

  /** The page is opened or shown, the composer has the focus, or something is typed. */
  show(): void {
    if (this.#said !== null && this.now() - this.#said < EVERY_MS) return;
    this.#wanted = !this.send({ action: "intent" });
    if (!this.#wanted) this.#said = this.now();
  }

  /** What was shown while there was no connection. */
  connected(): void {
    if (this.#wanted) this.show();
  }

  /** The page is hidden: whoever looked at it has left before there was a connection. */
  hide(): void {
    this.#wanted = false;
  }
}
