import { memo, useEffect, useLayoutEffect, useRef, useState, type ReactNode } from "react";

type Katex = typeof import("katex").default;
let loaded: Katex | null = null;

/** KaTeX and its style sheet, loaded by the first formula. */
async function load(): Promise<Katex> {
  const [katex] = await Promise.all([import("katex"), import("katex/dist/katex.min.css")]);
  return (loaded = katex.default);
}

/** Limits on what a formula may cost: sizes in em, and expansions of macros. */
const LIMITS = { maxSize: 20, maxExpand: 500, trust: false, strict: "ignore", throwOnError: true } as const;
const MAX_LENGTH = 5_000;

/** A formula. Until KaTeX is there, and where it fails, its source is shown. */
export const Formula = memo(function Formula({ tex, display }: { tex: string; display: boolean }): ReactNode {
  const [katex, setKatex] = useState(() => loaded);
  const place = useRef<HTMLElement>(null);
  const wanted = tex.length <= MAX_LENGTH;
  useEffect(() => {
    if (katex || !wanted) return;
    let gone = false;
    load().then((found) => { if (!gone) setKatex(() => found); }, () => undefined);
    return () => { gone = true; };
  }, [katex, wanted]);
  useLayoutEffect(() => {
    const element = place.current;
    if (!katex || !element) return;
    try {
      katex.render(tex, element, { ...LIMITS, displayMode: display });
    } catch {
      element.textContent = tex;
    }
  }, [katex, tex, display]);
  if (!katex || !wanted) return <code>{tex}</code>;
  const Tag = display ? "div" : "span";
  return <Tag ref={place as never} className={display ? "md-formula" : undefined} tabIndex={display ? 0 : undefined} dir="ltr" />;
});
