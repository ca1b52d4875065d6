import { memo, useEffect, useRef, useState, type ReactNode, type RefObject } from "react";
import { MAX_CODE, readSaid, type Draw } from "../sandbox/diagram/messages";
import { useText } from "../i18n";
import { DiagramIcon, TextIcon } from "../ui/Icons";
import { useDark } from "../ui/useDark";
import { CodeBlock } from "./CodeBlock";

/** How long the frame may take to load, and then to draw. */
const LOAD_MS = 30_000;
const DRAW_MS = 10_000;

type Problem = { why: "size" | "slow" } | { why: "wrong"; message: string };

/** A finished Mermaid block, drawn when it comes into sight. Its text stays: behind a button, and for a screen reader. */
export const Diagram = memo(function Diagram({ code }: { code: string }): ReactNode {
  const text = useText();
  const place = useRef<HTMLDivElement>(null);
  const seen = useSeen(place);
  const [asText, setAsText] = useState(false);
  const [height, setHeight] = useState(0);
  const [problem, setProblem] = useState<Problem | null>(() => (code.length > MAX_CODE ? { why: "size" } : null));
  const drawn = height > 0 && !problem;
  const label = text(asText ? "diagramShow" : "diagramText");
  return (
    <div ref={place} className="diagram" data-testid="diagram" data-state={problem ? "failed" : drawn ? "drawn" : "waiting"}>
      <CodeBlock code={code} language="mermaid" live={false} hidden={drawn && !asText} tool={drawn && (
        <button type="button" className="icon-button small" aria-pressed={asText} aria-label={label} title={label} data-testid="diagram-text" onClick={() => setAsText(!asText)}>
          {asText ? <DiagramIcon /> : <TextIcon />}
        </button>
      )}>
        {seen && !problem && <Frame code={code} height={asText ? 0 : height} onHeight={setHeight} onProblem={setProblem} />}
      </CodeBlock>
      {problem && (
        <p className="muted" role="status" data-testid="diagram-problem">
          {problem.why === "wrong" ? text("diagramWrong", { message: problem.message.split("\n", 1).join("").replace(/:\s*$/, "") })
            : text(problem.why === "size" ? "diagramTooLarge" : "diagramSlow")}
        </p>
      )}
    </div>
  );
});

interface FrameProps {
  code: string;
  height: number;
  onHeight(height: number): void;
  onProblem(problem: Problem): void;
}

/** The sandboxed page that draws; what it says counts only when it is this frame that says it. */
function Frame({ code, height, onHeight, onProblem }: FrameProps): ReactNode {
  const text = useText();
  const dark = useDark();
  const frame = useRef<HTMLIFrameElement>(null);
  const [ready, setReady] = useState(false);
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  const label = text("diagram");
  useEffect(() => {
    const hear = (event: MessageEvent<unknown>) => {
      if (!frame.current || event.source !== frame.current.contentWindow) return;
      const said = readSaid(event.data);
      if (said?.kind === "ready") setReady(true);
      if (said?.kind === "failed") onProblem({ why: "wrong", message: said.message });
      if (said?.kind === "drawn") {
        clearTimeout(waiting.current);
        onHeight(said.height);
      }
    };
    addEventListener("message", hear);
    waiting.current = setTimeout(() => onProblem({ why: "slow" }), LOAD_MS);
    return () => { removeEventListener("message", hear); clearTimeout(waiting.current); };
  }, [onHeight, onProblem]);
  useEffect(() => {
    if (!ready) return;
    clearTimeout(waiting.current);
    waiting.current = setTimeout(() => onProblem({ why: "slow" }), DRAW_MS);
    // A sandboxed frame has no origin that could be named; it is told nothing but the answer's own text.
    frame.current?.contentWindow?.postMessage({ kind: "draw", code, dark, label } satisfies Draw, "*");
  }, [ready, code, dark, label, onProblem]);
  return (
    <iframe
      ref={frame} className="diagram-frame" title={label} src="/sandbox/diagram/index.html" sandbox="allow-scripts" height={height}
      referrerPolicy="no-referrer" data-testid="diagram-frame" tabIndex={height > 0 ? undefined : -1} aria-hidden={height === 0}
    />
  );
}

/** Whether an element has been on the screen. */
function useSeen(place: RefObject<HTMLElement | null>): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (seen || !place.current) return;
    const observer = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) setSeen(true); });
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [seen, place]);
  return seen;
}
