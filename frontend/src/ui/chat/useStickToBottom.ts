import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";

/** This near to the end counts as being there. */
const NEAR_PX = 96;
/** How long the end of a moment ago still counts as the end. */
const GROWN_MS = 250;

interface Stick {
  scroller: RefObject<HTMLDivElement | null>;
  content: RefObject<HTMLDivElement | null>;
  atBottom: boolean;
  toBottom(): void;
}

/**
 * Follows the newest text while the reader is at the end, leaves a reader who scrolled up
 * alone, and keeps what they look at in place when older messages come in above.
 */
export function useStickToBottom(firstId: string | undefined, count: number): Stick {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  const before = useRef({ firstId, height: 0 });
  const [atBottom, setAtBottom] = useState(true);

  const toBottom = useCallback(() => {
    const element = scroller.current;
    if (element) element.scrollTop = element.scrollHeight;
    stuck.current = true;
    setAtBottom(true);
  }, []);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const prepended = before.current.firstId !== undefined && before.current.firstId !== firstId;
    if (prepended && !stuck.current) element.scrollTop += element.scrollHeight - before.current.height;
    before.current = { firstId, height: element.scrollHeight };
  }, [firstId, count]);

  useEffect(() => {
    const element = scroller.current;
    const inner = content.current;
    if (!element || !inner) return;
    let top = element.scrollTop;
    let grown = { from: element.scrollHeight, at: 0 };
    const onScroll = () => {
      // Who scrolled to what was the end a moment ago meant the end.
      const recent = performance.now() - grown.at < GROWN_MS;
      const height = recent ? Math.min(grown.from, element.scrollHeight) : element.scrollHeight;
      const near = height - element.scrollTop - element.clientHeight < NEAR_PX;
      // The text may have grown between our own scrolling and this event: only moving up leaves the end.
      if (near) stuck.current = true;
      else if (element.scrollTop < top - 1) stuck.current = false;
      top = element.scrollTop;
      setAtBottom(stuck.current);
    };
    // Growth, from whatever cause, does not count as the reader's scrolling.
    const follow = () => {
      grown = { from: before.current.height, at: performance.now() };
      if (stuck.current) element.scrollTop = element.scrollHeight;
      before.current.height = element.scrollHeight;
    };
    const observer = new ResizeObserver(follow);
    observer.observe(inner);
    observer.observe(element);
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", onScroll);
    };
  }, []);

  return { scroller, content, atBottom, toBottom };
}
