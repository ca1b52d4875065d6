/** What the page and the frame of a diagram say to each other by postMessage. */

/** To the frame. `label` names the picture for a screen reader. */
export interface Draw { kind: "draw"; code: string; dark: boolean; label: string }
/** From the frame; `height` in CSS pixels. */
export type Said = { kind: "ready" } | { kind: "drawn"; height: number } | { kind: "failed"; message: string };

/** Characters. A larger source is not drawn: laying it out would take too long. */
export const MAX_CODE = 20_000;
export const MAX_HEIGHT = 3_000;

/** Reads what came from a frame: it draws what a stranger may have written, so nothing of it is taken on trust. */
export function readSaid(data: unknown): Said | null {
  if (typeof data !== "object" || data === null) return null;
  const { kind, height, message } = data as Record<string, unknown>;
  if (kind === "ready") return { kind };
  if (kind === "drawn" && typeof height === "number" && height > 0) return { kind, height: Math.min(Math.ceil(height), MAX_HEIGHT) };
  if (kind === "failed" && typeof message === "string") return { kind, message: message.slice(0, 300) };
  return null;
}
