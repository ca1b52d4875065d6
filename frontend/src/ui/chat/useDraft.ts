import { useMemo, useReducer, useState } from "react";
import type { Attachment } from "../../protocol/frames";
import { Drafts, type DraftValue, type Problem } from "./drafts";
import { toAttachment } from "./images";

export interface Draft {
  value: DraftValue;
  setText(text: string): void;
  addFiles(files: readonly File[], onProblem: (problem: Problem) => void): Promise<void>;
  removeImage(image: Attachment): void;
  clear(): void;
  /** Puts an earlier question into the composer. */
  edit(id: string, text: string, images: readonly Attachment[]): void;
  fill(text: string): void;
  /** Grows when the composer should take the focus. */
  focusAsked: number;
}

const grow = (count: number): number => count + 1;

/** What is being written, one draft for each conversation. */
export function useDraft(conversationId: string): Draft {
  const [, redraw] = useReducer(grow, 0);
  const [focusAsked, askFocus] = useReducer(grow, 0);
  const [drafts] = useState(() => new Drafts(redraw, toAttachment));
  const actions = useMemo<Omit<Draft, "value" | "focusAsked">>(() => ({
    setText: (text) => drafts.set(conversationId, { text }),
    addFiles: (files, onProblem) => drafts.addFiles(conversationId, files, onProblem),
    removeImage: (image) => drafts.removeImage(conversationId, image),
    clear: () => drafts.clear(conversationId),
    edit: (id, text, images) => {
      drafts.edit(conversationId, id, text, images);
      askFocus();
    },
    fill: (text) => {
      drafts.set(conversationId, { text, editing: null });
      askFocus();
    },
  }), [drafts, conversationId]);
  return { ...actions, value: drafts.get(conversationId), focusAsked };
}
