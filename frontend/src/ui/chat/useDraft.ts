import { useCallback, useRef, useState } from "react";
import type { Attachment } from "../../protocol/frames";

export interface DraftValue { text: string; images: Attachment[]; editing: boolean }
const EMPTY: DraftValue = { text: "", images: [], editing: false };

export interface Draft {
  value: DraftValue;
  set(patch: Partial<DraftValue>): void;
  clear(): void;
  /** Puts an earlier message into the composer, to be sent as a new one. */
  edit(text: string, images: Attachment[]): void;
  fill(text: string): void;
  /** Grows when the composer should take the focus. */
  focusAsked: number;
}

/** What is being written, one draft for each conversation. */
export function useDraft(conversationId: string): Draft {
  const drafts = useRef(new Map<string, DraftValue>());
  const [, redraw] = useState(0);
  const [focusAsked, askFocus] = useState(0);
  const value = drafts.current.get(conversationId) ?? EMPTY;

  const set = useCallback((patch: Partial<DraftValue>) => {
    const before = drafts.current.get(conversationId) ?? EMPTY;
    drafts.current.set(conversationId, { ...before, ...patch });
    redraw((count) => count + 1);
  }, [conversationId]);
  const clear = useCallback(() => set(EMPTY), [set]);
  const edit = useCallback((text: string, images: Attachment[]) => {
    set({ text, images, editing: true });
    askFocus((count) => count + 1);
  }, [set]);
  const fill = useCallback((text: string) => {
    set({ text, editing: false });
    askFocus((count) => count + 1);
  }, [set]);
  return { value, set, clear, edit, fill, focusAsked };
}
