// Shows what the agent says while no tab is visible, and opens its conversation. It stores nothing and fetches nothing.

/** What container/bridge/outbox/push.py sends. The same tag replaces what it was shown with before. */
self.addEventListener("push", (event) => {
  let said = {};
  try {
    said = event.data ? event.data.json() : {};
  } catch {
    // A browser wants something to be shown for every push.
  }
  const options = {
    body: typeof said.body === "string" ? said.body : "",
    tag: typeof said.tag === "string" ? said.tag : "agent",
    data: { conversationId: said.conversationId },
    icon: "/icon-192.png",
    badge: "/icon-192.png",
  };
  event.waitUntil(self.registration.showNotification(typeof said.title === "string" ? said.title : "OpenClaw", options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const id = (event.notification.data || {}).conversationId;
  const conversationId = typeof id === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(id) ? id : "main";
  event.waitUntil(open(conversationId));
});

/** An open tab goes to the front, and its page opens the conversation; without one there is a new tab. */
async function open(conversationId) {
  const tabs = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const tab = tabs.find((one) => one.focused) || tabs.find((one) => one.visibilityState === "visible") || tabs[0];
  if (!tab) return self.clients.openWindow(`/#/c/${conversationId}`);
  tab.postMessage({ type: "open", conversationId });
  return tab.focus();
}
