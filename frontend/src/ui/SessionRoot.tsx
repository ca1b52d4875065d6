import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { Api, ApiError, type ConversationSummary, type LinkStatus } from "../api";
import { endSession, idToken, type User } from "../auth/cognito";
import type { Config } from "../config";
import { ChatClient } from "../core/client";
import { deviceName, PushDevice } from "../core/push";
import type { SocketLike } from "../core/socket";
import type { ConversationFrame } from "../protocol/frames";
import { ChatScreen } from "./chat/ChatScreen";
import { asked, withFrame, withNews } from "./chat/listing";
import { SessionContext, type Session } from "./context";
import { lookAgain } from "./lookAgain";
import { keys } from "./queries";
import { localStore, preferences } from "./preferences";
import { onOpenAsked, pushBrowser } from "./pushBrowser";
import { conversationInHash, hashFor } from "./route";

interface Props {
  config: Config;
  user: User;
  onSignedOut(expired: boolean): void;
}

/** Makes the objects of one signed-in user, and ends them. */
export function SessionRoot({ config, user, onSignedOut }: Props): ReactNode {
  const queries = useQueryClient();
  const leave = useRef(onSignedOut);
  leave.current = onSignedOut;
  const [session] = useState(() => makeSession(config, user, queries, (expired) => leave.current(expired)));

  useEffect(() => {
    const { client } = session;
    client.start();
    const wake = () => client.socket.wake();
    const offline = () => client.socket.offline();
    const visible = () => {
      const shown = document.visibilityState === "visible";
      client.socket.presence.set(shown);
      if (shown) wake();
      if (shown) client.socket.intent.show();
      else client.socket.intent.hide();
    };
    visible();
    // A subscription that could not be renewed now is looked at again when the page opens next.
    void session.push.renew().catch(() => undefined);
    const deaf = onOpenAsked((id) => { location.hash = hashFor(id); });
    addEventListener("online", wake);
    addEventListener("offline", offline);
    addEventListener("pageshow", wake);
    document.addEventListener("visibilitychange", visible);
    return () => {
      client.stop();
      deaf();
      removeEventListener("online", wake);
      removeEventListener("offline", offline);
      removeEventListener("pageshow", wake);
      document.removeEventListener("visibilitychange", visible);
    };
  }, [session]);

  return <SessionContext value={session}><ChatScreen /></SessionContext>;
}

function makeSession(config: Config, user: User, queries: QueryClient, leave: (expired: boolean) => void): Session {
  const api = new Api(config.apiUrl, async (fresh) => {
    const token = await idToken(fresh).catch((error: Error) => {
      throw new ApiError(0, "OFFLINE", error.message);
    });
    if (token) return token;
    leave(true);
    throw new ApiError(401, "UNAUTHORIZED", "Signed out");
  });
  const client = new ChatClient({
    socket: {
      url: async () => withTicket(config.websocketUrl, await api.ticket()),
      open: (url) => new WebSocket(url) as SocketLike,
      online: () => navigator.onLine,
    },
    page: (id, before, limit) => api.page(id, before, limit),
    post: (message) => api.postMessage(message),
    storage: sessionStorage,
    account: user.sub,
    schedule: (publish) => {
      // A hidden page draws no frames, but its title and its other readers still follow.
      if (document.visibilityState === "hidden") setTimeout(publish, 250);
      else requestAnimationFrame(publish);
    },
    now: Date.now,
    onConversation: (frame) => onConversation(queries, client, frame),
    onQuestion: (id, text) => queries.setQueryData<ConversationSummary[]>(
      keys.conversations, (known) => known && asked(known, id, text, Date.now())),
    onLink: (frame) => {
      const status: LinkStatus = { linked: frame.status === "linked" };
      if (frame.telegramName) status.telegramName = frame.telegramName;
      queries.setQueryData(keys.link, status);
    },
    onNews: (id) => queries.setQueryData<ConversationSummary[]>(
      keys.conversations, (known) => known && withNews(known, id, Date.now())),
    onMemory: () => void lookAgain(queries, keys.memory),
    onSaved: () => {
      void lookAgain(queries, keys.workspace);
      void lookAgain(queries, keys.notes);
      void lookAgain(queries, keys.skills);
    },
    onAutomations: () => void lookAgain(queries, keys.automations),
    onNotice: () => void lookAgain(queries, keys.status),
  }, conversationInHash());
  const push = new PushDevice({
    browser: pushBrowser(), server: api, key: config.pushKey, storage: localStore, account: user.sub,
    name: deviceName(navigator.userAgent), language: () => preferences.language(),
  });
  const signOut = async () => {
    client.stop();
    client.outbox.clear();
    // Whoever uses this browser next must not read what the agent says. Without a network it must not take for ever.
    await Promise.race([push.turnOff().catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 3_000))]);
    await endSession().catch(() => undefined);
    leave(false);
  };
  return { config, user, api, client, push, signOut };
}

function withTicket(base: string, ticket: string): string {
  const url = new URL(base);
  url.searchParams.set("ticket", ticket);
  return url.href;
}

function onConversation(queries: QueryClient, client: ChatClient, frame: ConversationFrame): void {
  const { conversationId, deleted } = frame;
  queries.setQueryData<ConversationSummary[]>(keys.conversations, (known = []) => withFrame(known, frame));
  if (!deleted) return;
  const isOpen = client.store.state.current === conversationId;
  client.forget(conversationId);
  if (isOpen) client.startNew();
}
