import { useEffect, useRef, useState } from "react";

/** Characters that are drawn within a frame of the screen without being felt. */
export const STEP = 2_000;

/** How much of a text is drawn next: a burst is spread over frames, and no character is cut in two. */
export function nextLength(text: string, drawn: number): number {
  const end = drawn + STEP;
  if (end >= text.length) return text.length;
  const high = text.charCodeAt(end - 1);
  return high >= 0xd800 && high <= 0xdbff ? end - 1 : end;
}

/** The part of a streaming text that is drawn now. What comes word by word is drawn at once. */
export function usePaced(text: string, streaming: boolean): string {
  const drawn = useRef(0);
  const [, again] = useState(0);
  const length = streaming ? nextLength(text, drawn.current) : text.length;
  useEffect(() => {
    drawn.current = length;
    if (length === text.length) return;
    const frame = requestAnimationFrame(() => again((count) => count + 1));
    return () => cancelAnimationFrame(frame);
  });
  return length === text.length ? text : text.slice(0, length);
}
