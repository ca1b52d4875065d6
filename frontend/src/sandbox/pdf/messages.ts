/** What the page and the frame of a PDF say to each other by postMessage. */

/** To the frame: a file once, then one page at a time. `label` names the page for a screen reader. */
export type Asked = { kind: "open"; data: ArrayBuffer } | { kind: "show"; page: number; label: string };
export type Why = "damaged" | "password";
/** Keys that the frame passes on, because the page does not hear what is pressed in it. */
export const KEYS = ["Escape", "ArrowLeft", "ArrowRight"] as const;
export type Key = (typeof KEYS)[number];
/** From the frame. */
export type Said =
  | { kind: "ready" }
  | { kind: "opened"; pages: number }
  | { kind: "shown"; page: number }
  | { kind: "failed"; why: Why }
  | { kind: "key"; key: Key };

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

export const isKey = (key: unknown): key is Key => KEYS.some((known) => known === key);

/** Reads what came from a frame: it draws what a stranger may have written, so nothing of it is taken on trust. */
export function readSaid(data: unknown): Said | null {
  if (typeof data !== "object" || data === null) return null;
  const { kind, pages, page, why, key } = data as Record<string, unknown>;
  if (kind === "ready") return { kind };
  if (kind === "opened" && isCount(pages)) return { kind, pages };
  if (kind === "shown" && isCount(page)) return { kind, page };
  if (kind === "failed") return { kind, why: why === "password" ? why : "damaged" };
  if (kind === "key" && isKey(key)) return { kind, key };
  return null;
}
