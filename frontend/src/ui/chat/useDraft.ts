import { useMemo, useReducer, useState } from "react";
import type { Attachment } from "../../protocol/frames";
import { useSession } from "../context";
import { Drafts, type DraftValue, type Problem, type Reading } from "./drafts";
import { reader } from "./files";

export interface Draft {
  value: DraftValue;
  setText(text: string): void;
  addFiles(files: readonly File[], onProblem: (problem: Problem) => void): Promise<void>;
  remove(attachment: Attachment): void;
  cancel(reading: Reading): void;
  clear(): void;
  /** Puts an earlier question into the composer. */
  edit(id: string, text: string, attachments: readonly Attachment[]): void;
  fill(text: string): void;
  /** Grows when the composer should take the focus. */
  focusAsked: number;
}

const grow = (count: number): number => count + 1;

/** What is being written, one draft for each conversation. */
export function useDraft(conversationId: string): Draft {
  const { api } = useSession();
  const [, redraw] = useReducer(grow, 0);
  const [focusAsked, askFocus] = useReducer(grow, 0);
  const [drafts] = useState(() => new Drafts(redraw, reader(api)));
  const actions = useMemo<Omit<Draft, "value" | "focusAsked">>(() => ({
    setText: (text) => drafts.set(conversationId, { text }),
    addFiles: (files, onProblem) => drafts.addFiles(conversationId, files, onProblem),
    remove: (attachment) => drafts.remove(conversationId, attachment),
    cancel: (reading) => drafts.cancel(conversationId, reading),
    clear: () => drafts.clear(conversationId),
    edit: (id, text, attachments) => {
      drafts.edit(conversationId, id, text, attachments);
      askFocus();
    },
    fill: (text) => {
      drafts.set(conversationId, { text, editing: null });
      askFocus();
    },
  }), [drafts, conversationId]);
  return { ...actions, value: drafts.get(conversationId), focusAsked };
}
