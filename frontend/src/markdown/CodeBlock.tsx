import { memo, useEffect, useState, type ReactNode } from "react";
import { useText } from "../i18n";
import { CopyButton } from "../ui/CopyButton";
import { DownloadIcon } from "../ui/Icons";
import { download } from "./download";

interface Props {
  code: string;
  language: string;
  live: boolean;
  /** One more button, and what is shown in place of the code. */
  tool?: ReactNode;
  children?: ReactNode;
  /** The code is for a screen reader only. */
  hidden?: boolean;
}

/** Larger code stays plain: colouring it would hold up the page for longer than it is worth. */
const MAX_HIGHLIGHT = 20_000;

export const CodeBlock = memo(function CodeBlock({ code, language, live, tool, children, hidden = false }: Props): ReactNode {
  const text = useText();
  const coloured = useHighlight(code, language, !live && code.length <= MAX_HIGHLIGHT);
  return (
    <div className="code" role="group" aria-label={language || text("code")}>
      <div className="code-head">
        <span className="code-lang">{language}</span>
        {tool}
        {!live && (
          <button type="button" className="icon-button small" aria-label={text("downloadCode")} title={text("downloadCode")} onClick={() => download(code, language)}>
            <DownloadIcon />
          </button>
        )}
        <CopyButton value={code} label={text("copyCode")} />
      </div>
      {children}
      <pre className={hidden ? "visually-hidden" : undefined} tabIndex={hidden ? undefined : 0}><code>{coloured ?? code}</code></pre>
    </div>
  );
});

/** Colours finished code when the page has time; the library is loaded by the first block that needs it. */
function useHighlight(code: string, language: string, wanted: boolean): ReactNode | null {
  const [done, setDone] = useState<{ code: string; nodes: ReactNode } | null>(null);
  useEffect(() => {
    if (!wanted || !language) return;
    let gone = false;
    const run = async () => {
      const { highlight } = await import("./highlight");
      if (gone) return;
      const nodes = highlight(code, language);
      if (nodes) setDone({ code, nodes });
    };
    const handle = whenIdle(() => void run().catch(() => undefined));
    return () => { gone = true; handle(); };
  }, [code, language, wanted]);
  return done?.code === code ? done.nodes : null;
}

function whenIdle(work: () => void): () => void {
  if ("requestIdleCallback" in window) {
    const id = window.requestIdleCallback(work, { timeout: 1500 });
    return () => window.cancelIdleCallback(id);
  }
  const id = setTimeout(work, 50);
  return () => clearTimeout(id);
}
