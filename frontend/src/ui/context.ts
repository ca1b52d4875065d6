import { createContext, useContext, useSyncExternalStore } from "react";
import type { Api } from "../api";
import type { User } from "../auth/cognito";
import type { Config } from "../config";
import type { ChatClient } from "../core/client";
import type { PushDevice } from "../core/push";
import type { ChatState } from "../core/state";

/** What a signed-in screen works with. */
export interface Session {
  config: Config;
  user: User;
  api: Api;
  client: ChatClient;
  push: PushDevice;
  signOut(): Promise<void>;
}

export type PanelName = "link" | "settings" | "status" | "automations" | "memory" | "hooks" | "files" | "notes" | "people" | "skills" | "conversation";

export const OpenPanelContext = createContext<(name: PanelName) => void>(() => undefined);

/** Opens a panel from anywhere in the signed-in screen. */
export function useOpenPanel(): (name: PanelName) => void {
  return useContext(OpenPanelContext);
}

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("useSession outside a signed-in screen");
  return session;
}

/** A part of the chat's state; only a change of that part draws again, not every streamed word. */
export function useChat<Key extends keyof ChatState>(key: Key): ChatState[Key] {
  const { client } = useSession();
  const read = () => client.store.snapshot()[key];
  return useSyncExternalStore(client.store.subscribe, read, read);  // the last one is for tests without a browser
}
