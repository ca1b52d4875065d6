/**
 * What the Control UI gets by HTTP (avatars, icons, the chat's media), over a tunnel: the Bridge asks the gateway for it
 * and decides what may be asked (container/bridge/console/fetched.py). Anything else of the gateway is "not found" at
 * once, else the Control UI asks for it again and again.
 */
const GATEWAY = /^(\/console)?(?=\/(?:__openclaw__|__openclaw|avatar|api|plugins)\/|\/control-ui-config\.json$)/;
const CARRIED =
  /^\/(?:avatar\/|api\/users\/|api\/chat\/media\/outgoing\/|__openclaw__\/(?:channel-avatar|plugin-icon|workspace-icon)\/|__openclaw__\/assistant-media$)/;
const SESSION = "x-openclaw-requester-session-key";

interface Part { type: "fetch"; id: string; status: number; mime: string; data: string; more: boolean }
interface Waiting { tunnel: object; parts: Uint8Array<ArrayBuffer>[]; done(response: Response): void; fail(reason: unknown): void }

const waiting = new Map<string, Waiting>();

/** The gateway's own path and query; null for an address that is not the gateway's. */
export function gatewayPath(url: URL): string | null {
  if (!url.protocol.startsWith("http") || !GATEWAY.test(url.pathname)) return null;
  return url.pathname.replace(GATEWAY, "") + url.search;
}

export const isCarried = (path: string): boolean => CARRIED.test(path.replace(/\?.*/s, ""));

/** `send`: over that tunnel. Rejects as fetch does: when it is told to stop, and when the tunnel ends. */
export function carry(path: string, request: Request, tunnel: object, send: (data: string) => void): Promise<Response> {
  const { signal } = request;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const id = crypto.randomUUID();
    const over = (act: () => void) => {
      waiting.delete(id);
      act();
    };
    waiting.set(id, {
      tunnel, parts: [], done: (response) => over(() => resolve(response)), fail: (reason) => over(() => reject(reason)),
    });
    signal.addEventListener("abort", () => waiting.get(id)?.fail(signal.reason), { once: true });
    const session = request.headers.get(SESSION);
    send(JSON.stringify({ type: "fetch", id, method: request.method, path, ...(session ? { session } : {}) }));
  });
}

/** Whether a message of the tunnel is a part of such an answer. It is taken then. */
export function takes(data: string): boolean {
  if (!/^\{"type": ?"fetch"/.test(data)) return false;
  const { id, status, mime, data: piece, more } = JSON.parse(data) as Part;
  const asked = waiting.get(id);
  if (!asked) return true; // nobody waits for it any more
  asked.parts.push(Uint8Array.from(atob(piece), (character) => character.charCodeAt(0)));
  if (!more) {
    const body = status === 200 ? new Blob(asked.parts, { type: mime }) : null;
    asked.done(new Response(body, { status, headers: { "content-type": mime } }));
  }
  return true;
}

export function lost(tunnel: object): void {
  for (const asked of waiting.values()) if (asked.tunnel === tunnel) asked.fail(new TypeError("the tunnel ended"));
}
