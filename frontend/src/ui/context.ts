import { createContext, useContext, useSyncExternalStore } from "react";
import type { Api } from "../api";
import type { User } from "../auth/cognito";
import type { Config } from "../config";
import type { ChatClient } from "../core/client";
import type { ChatState } from "../core/state";

/** What a signed-in screen works with. */
export interface Session {
  config: Config;
  user: User;
  api: Api;
  client: ChatClient;
  signOut(): Promise<void>;
}

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("useSession outside a signed-in screen");
  return session;
}

export function useChat(): ChatState {
  const { client } = useSession();
  return useSyncExternalStore(client.store.subscribe, client.store.snapshot);
}
