import { useEffect, useRef, useState, type ReactNode, type RefObject } from "react";
import { useText } from "../../i18n";
import { useSession } from "../context";

interface Props {
  more: boolean;
  /** Long enough for its beginning to be worth marking. */
  long: boolean;
  scroller: RefObject<HTMLDivElement | null>;
}

/** The top of the log: asks for older messages when it comes into view, or by a button. */
export function Older({ more, long, scroller }: Props): ReactNode {
  const text = useText();
  const { client } = useSession();
  const [state, setState] = useState<"ready" | "busy" | "failed">("ready");
  const sentinel = useRef<HTMLDivElement>(null);
  const load = useRef(async () => undefined as void);
  load.current = async () => {
    if (state === "busy") return;
    setState("busy");
    setState(await client.loadOlder() ? "ready" : "failed");
  };

  useEffect(() => {
    if (!more || !sentinel.current) return;
    const observer = new IntersectionObserver(
      // Only a reader who scrolled: a short conversation must not pull in its whole past by itself.
      (entries) => entries.some((entry) => entry.isIntersecting) && scrolls(scroller.current) && void load.current(),
      { root: scroller.current, rootMargin: "200px 0px 0px 0px" },
    );
    observer.observe(sentinel.current);
    return () => observer.disconnect();
  }, [more, scroller]);

  return (
    <div ref={sentinel} className="older">
      {state === "failed" && <span className="form-error" role="alert">{text("olderFailed")} </span>}
      {more
        ? <button type="button" className="link" disabled={state === "busy"} onClick={() => void load.current()}>{text(LABELS[state])}</button>
        : long && <span className="muted">{text("historyStart")}</span>}
    </div>
  );
}

const LABELS = { ready: "loadOlder", busy: "loadingOlder", failed: "retry" } as const;

const scrolls = (element: HTMLElement | null) => element !== null && element.scrollHeight > element.clientHeight;
