import { useCallback, useRef, useState } from "react";
import type { Attachment } from "../../protocol/frames";

export interface DraftValue {
  text: string;
  images: readonly Attachment[];
  /** The id of the earlier question that this one is to replace in view. */
  editing: string | null;
}
const EMPTY: DraftValue = { text: "", images: [], editing: null };

export interface Draft {
  value: DraftValue;
  set(patch: Partial<DraftValue>): void;
  /** Beside those that came while these were read. */
  addImages(images: readonly Attachment[]): void;
  clear(): void;
  /** Puts an earlier question into the composer. */
  edit(id: string, text: string, images: readonly Attachment[]): void;
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

  const change = useCallback((patch: (before: DraftValue) => Partial<DraftValue>) => {
    const before = drafts.current.get(conversationId) ?? EMPTY;
    drafts.current.set(conversationId, { ...before, ...patch(before) });
    redraw((count) => count + 1);
  }, [conversationId]);
  const replace = useCallback((next: Partial<DraftValue>) => {
    change(() => next);
    askFocus((count) => count + 1);
  }, [change]);

  const set = useCallback((patch: Partial<DraftValue>) => change(() => patch), [change]);
  const addImages = useCallback(
    (images: readonly Attachment[]) => change((before) => ({ images: [...before.images, ...images] })), [change]);
  const clear = useCallback(() => change(() => EMPTY), [change]);
  const edit = useCallback(
    (id: string, text: string, images: readonly Attachment[]) => replace({ text, images, editing: id }), [replace]);
  const fill = useCallback((text: string) => replace({ text, editing: null }), [replace]);
  return { value, set, addImages, clear, edit, fill, focusAsked };
}
