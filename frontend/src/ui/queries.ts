import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { Api, ConversationPatch, ConversationSummary } from "../api";
import { settingsWithZone } from "../core/zone";
import { useText } from "../i18n";
import { patched } from "./chat/listing";
import { useSession } from "./context";

export const keys = {
  conversations: ["conversations"],
  status: ["status"],
  settings: ["settings"],
  link: ["link"],
  automations: ["automations"],
  allowed: ["allowed"],
  devices: ["devices"],
  memory: ["memory"],
  starts: ["starts"],
  costs: ["costs"],
  hooks: ["hooks"],
  people: ["people"],
  log: ["log"],
  file: ["file"],
  workspace: ["workspace"],
  notes: ["notes"],
  skills: ["skills"],
  mcp: ["mcp"],
  totp: ["totp"],
} as const;

/** A signed address works for ten minutes; a little less, so that a player may still begin. */
const FRESH_MS = 8 * 60_000;

/** The address of a file that the agent gave. */
export const fileLink = (api: Api, id: string) => ({
  queryKey: [...keys.file, id], queryFn: () => api.file(id), staleTime: FRESH_MS, gcTime: FRESH_MS, retry: 1,
});

export function useConversations() {
  const { api } = useSession();
  return useQuery({ queryKey: keys.conversations, queryFn: api.conversations, staleTime: 60_000 });
}

/** Read once when the page opens: the first sign-in gives the agent the browser's time zone. */
export function useSettings() {
  const { api } = useSession();
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return useQuery({ queryKey: keys.settings, queryFn: () => settingsWithZone(api, zone), refetchOnWindowFocus: false });
}

/** Changing and deleting show at once and are taken back if the server refuses. */
export function useConversationActions() {
  const { api, client } = useSession();
  const text = useText();
  const queries = useQueryClient();
  const edit = async (change: (known: ConversationSummary[]) => ConversationSummary[]) => {
    await queries.cancelQueries({ queryKey: keys.conversations });
    const before = queries.getQueryData<ConversationSummary[]>(keys.conversations);
    queries.setQueryData<ConversationSummary[]>(keys.conversations, (known = []) => change(known));
    return before;
  };
  const undo = (key: "renameFailed" | "changeFailed" | "removeFailed", { message }: Error, before: ConversationSummary[] | undefined) => {
    queries.setQueryData(keys.conversations, before);
    client.tell({ code: "FAILED", message: text(key, { message }) });
  };
  const change = useMutation({
    mutationFn: ({ id, ...patch }: ConversationPatch & { id: string }) => api.changeConversation(id, patch),
    onMutate: ({ id, ...patch }) =>
      edit((known) => known.map((item) => (item.conversationId === id ? patched(item, patch) : item))),
    onError: (error, { title }, before) => undo(title === undefined ? "changeFailed" : "renameFailed", error, before),
  });
  const remove = useMutation({
    mutationFn: (id: string) => api.remove(id),
    onMutate: (id) => edit((known) => known.filter((item) => item.conversationId !== id)),
    onError: (error, _input, before) => undo("removeFailed", error, before),
  });
  return { change, remove };
}
