const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** Wait before attempt n (0-based): doubles up to 30 s, half of it random so that tabs do not return at once. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return full / 2 + (full / 2) * random();
}
