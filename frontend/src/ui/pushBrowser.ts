import type { PushBrowser, Subscription } from "../core/push";

const WORKER = "/push-worker.js";

/** null where the browser has no Web Push (an iPhone has it only for an app on the home screen). */
export function pushBrowser(): PushBrowser | null {
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return null;
  return {
    permission: () => Notification.permission,
    ask: () => Notification.requestPermission(),
    current: async () => (await (await navigator.serviceWorker.getRegistration("/"))?.pushManager.getSubscription()) as Subscription | null ?? null,
    subscribe: async (key) => {
      await navigator.serviceWorker.register(trusted(WORKER), { scope: "/", updateViaCache: "none" });
      const { pushManager } = await navigator.serviceWorker.ready;
      return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key as Uint8Array<ArrayBuffer> });
    },
  };
}

/** The page's policy demands a trusted URL for a script: this one is ours, and written here. */
function trusted(url: typeof WORKER): string {
  const { trustedTypes } = window as unknown as { trustedTypes?: { createPolicy(name: string, rules: object): { createScriptURL(url: string): string } } };
  return trustedTypes ? trustedTypes.createPolicy("push-worker", { createScriptURL: (one: string) => one }).createScriptURL(url) : url;
}

/** A notification was clicked: the worker asks an open tab for its conversation. Returns what ends it. */
export function onOpenAsked(show: (conversationId: string) => void): () => void {
  if (!("serviceWorker" in navigator)) return () => undefined;
  const heard = ({ data }: MessageEvent<{ type?: string; conversationId?: string }>) => {
    if (data?.type === "open" && data.conversationId) show(data.conversationId);
  };
  navigator.serviceWorker.addEventListener("message", heard);
  return () => navigator.serviceWorker.removeEventListener("message", heard);
}
