import { useEffect, useRef, type PointerEvent } from "react";

const HOLD_MS = 500;
/** A finger that moves further is scrolling. */
const STILL_PX = 10;

/** Calls `onHold` when a finger rests on the element; the tap that ends it does nothing else. */
export function useLongPress(onHold: () => void) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const start = useRef({ x: 0, y: 0 });
  const held = useRef(false);
  const end = () => clearTimeout(timer.current);
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    onPointerDown: ({ pointerType, clientX, clientY }: PointerEvent) => {
      held.current = false;
      end();
      if (pointerType === "mouse") return;
      start.current = { x: clientX, y: clientY };
      timer.current = setTimeout(() => { held.current = true; onHold(); }, HOLD_MS);
    },
    onPointerMove: ({ clientX, clientY }: PointerEvent) => {
      if (Math.hypot(clientX - start.current.x, clientY - start.current.y) > STILL_PX) end();
    },
    onPointerUp: end,
    onPointerCancel: end,
    /** A held finger opens the browser's own menu in some browsers. */
    onContextMenu: (event: { preventDefault(): void }) => { if (held.current) event.preventDefault(); },
    onClickCapture: (event: { preventDefault(): void; stopPropagation(): void }) => {
      if (!held.current) return;
      held.current = false;
      event.preventDefault();
      event.stopPropagation();
    },
  };
}
