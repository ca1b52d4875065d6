import { memo, type ReactNode } from "react";
import { useText } from "../../i18n";
import type { Thinking as Thought } from "../../protocol/frames";

/** What the model thought for an answer: folded, and plain text, because it is no part of what the agent says. */
export const Thinking = memo(function Thinking({ thinking }: { thinking: Thought }): ReactNode {
  const text = useText();
  return (
    <details className="work" data-testid="thinking">
      <summary>{text("thinkingTitle")}</summary>
      <pre className="thought" tabIndex={0} role="region" aria-label={text("thinkingTitle")} dir="auto">{thinking.text}</pre>
      {thinking.cut && <p>{text("thinkingCut")}</p>}
      {thinking.hidden && <p>{text("thinkingHidden")}</p>}
    </details>
  );
});
