import { useCallback, useEffect, useEffectEvent, useRef, useState, type ReactNode, type RefObject } from "react";
import { useText } from "../../i18n";
import type { GivenFile } from "../../protocol/frames";
import { readSaid, type Asked, type Why } from "../../sandbox/pdf/messages";
import { BackIcon, CloseIcon, NextIcon } from "../Icons";
import { Modal } from "../Modal";
import { useSession } from "../context";
import { MAX_PDF_PAGES } from "./pdf";

/** How long the frame may take to load, and then to read the file or to draw a page. */
const LOAD_MS = 30_000;
const DRAW_MS = 15_000;

const SAID = { damaged: "pdfDamaged", password: "pdfPassword", slow: "pdfSlow" } as const;

type Problem = { why: Why | "slow" } | { why: "fetch"; message: string };

/** A PDF in a dialog, one page at a time. A sandboxed page draws it; this one fetches it and turns its pages. */
export function PdfPreview({ file, onClose }: { file: GivenFile; onClose(): void }): ReactNode {
  const text = useText();
  const frame = useRef<HTMLIFrameElement>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  // The first reason counts: a frame that is taken away answers no more.
  const onProblem = useCallback((found: Problem) => setProblem((before) => before ?? found), []);
  const content = useContent(file.id, onProblem);
  const { page, pages, all, turn, onKey } = usePages(frame, content, onProblem, onClose);
  const where = !pages ? text("loading") : text(all > pages ? "pdfPageCut" : "pdfPage", { page, pages, all });
  const said = !problem ? null : problem.why === "fetch" ? text("fileFailed", { message: problem.message })
    : text(SAID[problem.why]);
  return (
    <Modal label={text("filePreview", { name: file.name })} className="lightbox pdf" testId="pdf" onClose={onClose}>
      <div className="pdf-bar" onKeyDown={({ key }) => { if (key !== "Escape") onKey(key); }}>
        <bdi title={file.name}>{file.name}</bdi>
        {!problem && <Turn label={text("pdfPrevious")} off={page <= 1} onClick={() => turn(-1)}><BackIcon /></Turn>}
        {!problem && <span role="status" data-testid="pdf-page">{where}</span>}
        {!problem && <Turn label={text("pdfNext")} off={page >= pages} onClick={() => turn(1)}><NextIcon /></Turn>}
        <button type="button" className="icon-button" aria-label={text("close")} autoFocus onClick={onClose}><CloseIcon /></button>
      </div>
      {said ? <p role="alert" data-testid="pdf-problem">{said}</p> : (
        <iframe ref={frame} title={file.name} src="/sandbox/pdf/index.html" sandbox="allow-scripts" referrerPolicy="no-referrer" data-testid="pdf-frame" />
      )}
    </Modal>
  );
}

function Turn({ label, off, onClick, children }: { label: string; off: boolean; onClick(): void; children: ReactNode }): ReactNode {
  // A disabled button would lose the focus at the last page.
  return <button type="button" className="icon-button" aria-label={label} title={label} aria-disabled={off} onClick={onClick}>{children}</button>;
}

/** The bytes, fetched from the same signed address that saves the file. */
function useContent(id: string, onProblem: (problem: Problem) => void): ArrayBuffer | null {
  const { api } = useSession();
  const [content, setContent] = useState<ArrayBuffer | null>(null);
  useEffect(() => {
    const closed = new AbortController();
    const load = async () => {
      const { url } = await api.file(id);
      const answer = await fetch(url, { signal: closed.signal, cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" });
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      setContent(await answer.arrayBuffer());
    };
    load().catch((error: unknown) => {
      if (!closed.signal.aborted) onProblem({ why: "fetch", message: error instanceof Error ? error.message : String(error) });
    });
    return () => closed.abort();
  }, [api, id, onProblem]);
  return content;
}

interface Pages { page: number; pages: number; all: number; turn(by: number): void; onKey(key: string): void }

/** Talks with the frame; what it says counts only when it is this frame that says it. */
function usePages(frame: RefObject<HTMLIFrameElement | null>, content: ArrayBuffer | null, onProblem: (problem: Problem) => void, onClose: () => void): Pages {
  const text = useText();
  const [ready, setReady] = useState(false);
  const [all, setAll] = useState(0);
  const [page, setPage] = useState(1);
  const [shown, setShown] = useState(0);
  const pages = Math.min(all, MAX_PDF_PAGES);
  const turn = (by: number) => setPage(Math.max(1, Math.min(page + by, pages)));
  const onKey = (key: string) => {
    if (key === "Escape") onClose();
    if (key === "ArrowLeft") turn(-1);
    if (key === "ArrowRight") turn(1);
  };
  const hear = useEffectEvent((event: MessageEvent<unknown>) => {
    if (!frame.current || event.source !== frame.current.contentWindow) return;
    const said = readSaid(event.data);
    if (said?.kind === "ready") setReady(true);
    if (said?.kind === "opened") setAll(said.pages);
    if (said?.kind === "shown") setShown(said.page);
    if (said?.kind === "failed") onProblem({ why: said.why });
    if (said?.kind === "key") onKey(said.key);
  });
  useEffect(() => {
    const listener = (event: MessageEvent<unknown>) => hear(event);
    addEventListener("message", listener);
    return () => removeEventListener("message", listener);
  }, []);
  // A sandboxed frame has no origin that could be named; it is told nothing but the file's own content.
  const ask = (asked: Asked) => frame.current?.contentWindow?.postMessage(asked, "*");
  useEffect(() => { if (ready && content) ask({ kind: "open", data: content }); }, [ready, content]);
  const label = text("pdfPage", { page, pages: all });
  useEffect(() => { if (all) ask({ kind: "show", page, label }); }, [all, page, label]);
  useLimit(ready, LOAD_MS, page, onProblem);
  useLimit(!ready || !content || shown === page, DRAW_MS, page, onProblem);
  return { page, pages, all, turn, onKey };
}

/** Calls it slow when `done` does not come in time; another page has a time of its own. */
function useLimit(done: boolean, ms: number, page: number, onProblem: (problem: Problem) => void): void {
  useEffect(() => {
    if (done) return;
    const timer = setTimeout(() => onProblem({ why: "slow" }), ms);
    return () => clearTimeout(timer);
  }, [done, ms, page, onProblem]);
}
