/** How long a pairing code lives, by the server's rule. */
const LIFETIME_MS = 5 * 60_000;
const SHORTEST_MS = 5_000;

/**
 * When a code ends on this machine's clock. A clock that is wrong by minutes would make the
 * server's time useless (or a loop of new codes); then the rule counts from receipt.
 */
export function endsAt(expiresAt: number, receivedAt: number): number {
  const left = expiresAt - receivedAt;
  return left >= SHORTEST_MS && left <= LIFETIME_MS * 2 ? expiresAt : receivedAt + LIFETIME_MS;
}

/** "4:05" */
export function clockText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
