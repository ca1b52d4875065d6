/** What the frame of the Control UI and the page around it say to each other. */
export type FromFrame =
  | { console: "open"; tunnel: string }
  | { console: "close"; tunnel: string }
  | { console: "send"; tunnel: string; data: string }
  | { console: "used" };
export type FromPage =
  | { console: "message"; tunnel: string; data: string }
  | { console: "closed"; tunnel: string; code?: number; reason?: string };

/** A WebSocket's own code for a connection that was lost. */
export const CLOSED = 1006;

const kind = (data: unknown) => (typeof data === "object" && data !== null ? (data as { console?: unknown }).console : undefined);
const text = (data: unknown, name: string) => typeof (data as Record<string, unknown>)[name] === "string";

export function isFromFrame(data: unknown): data is FromFrame {
  switch (kind(data)) {
    case "used": return true;
    case "open": case "close": return text(data, "tunnel");
    case "send": return text(data, "tunnel") && text(data, "data");
    default: return false;
  }
}

export function isFromPage(data: unknown): data is FromPage {
  switch (kind(data)) {
    case "closed": return text(data, "tunnel");
    case "message": return text(data, "tunnel") && text(data, "data");
    default: return false;
  }
}
