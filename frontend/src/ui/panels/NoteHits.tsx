import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ask, type Recalled } from "../../core/requests";
import { useText } from "../../i18n";
import { useChat, useSession } from "../context";
import { keys } from "../queries";

type Hit = Recalled["hits"][number];

/** What the agent's own index has for these words; nothing while it sleeps or cannot say. */
export function useRecalled(words: string): Hit[] {
  const { client } = useSession();
  const awake = useChat("agent")?.status === "Running";
  const { data } = useQuery({
    queryKey: [...keys.notes, "recall", words], queryFn: () => ask<Recalled>(client.socket, "memory.search", words),
    enabled: awake, staleTime: 10_000, retry: false,
  });
  return awake ? data?.hits ?? [] : [];
}

export function HitList({ hits, testId, onOpen }: { hits: Hit[]; testId: string; onOpen(name: string): void }): ReactNode {
  const text = useText();
  return (
    <ul className="workspace">
      {hits.map(({ name, line, text: found }) => (
        <li key={`${name}:${line}`} data-testid={testId}>
          <button type="button" className="workspace-row" onClick={() => onOpen(name)}>
            <span className="note-name">
              <span dir="auto">{found}</span>
              <small className="muted"><bdi>{name}</bdi> · {text("notesHitLine", { line: String(line) })}</small>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
