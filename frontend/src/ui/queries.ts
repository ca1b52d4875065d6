import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ConversationSummary } from "../api";
import { useSession } from "./context";

export const keys = {
  conversations: ["conversations"],
  status: ["status"],
  settings: ["settings"],
  link: ["link"],
  totp: ["totp"],
} as const;

export function useConversations() {
  const { api } = useSession();
  return useQuery({ queryKey: keys.conversations, queryFn: api.conversations, staleTime: 60_000 });
}

/** Renaming and deleting show at once and are taken back if the server refuses. */
export function useConversationActions() {
  const { api } = useSession();
  const queries = useQueryClient();
  const edit = async (change: (known: ConversationSummary[]) => ConversationSummary[]) => {
    await queries.cancelQueries({ queryKey: keys.conversations });
    const before = queries.getQueryData<ConversationSummary[]>(keys.conversations);
    queries.setQueryData<ConversationSummary[]>(keys.conversations, (known = []) => change(known));
    return before;
  };
  const undo = (before: ConversationSummary[] | undefined) => queries.setQueryData(keys.conversations, before);
  const rename = useMutation({
    mutationFn: ({ id, title }: { id: string; title: string }) => api.rename(id, title),
    onMutate: ({ id, title }) =>
      edit((known) => known.map((item) => (item.conversationId === id ? { ...item, title } : item))),
    onError: (_error, _input, before) => undo(before),
  });
  const remove = useMutation({
    mutationFn: (id: string) => api.remove(id),
    onMutate: (id) => edit((known) => known.filter((item) => item.conversationId !== id)),
    onError: (_error, _input, before) => undo(before),
  });
  return { rename, remove };
}
