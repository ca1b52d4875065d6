/**
 * Draws the pages of one PDF in a frame of its own. The frame is sandboxed: it has no origin, so it reaches no cookie,
 * token or network. Only the pages are drawn: no links, no forms, and no scripts of the file.
 */
import { AnnotationMode, getDocument, VerbosityLevel, type PDFDocumentProxy, type PDFPageProxy, type RenderTask } from "pdfjs-dist/legacy/build/pdf.mjs";
// A page without an origin cannot start a worker. pdf.js runs this one in the page when it finds it.
import "pdfjs-dist/legacy/build/pdf.worker.mjs";
import { Included } from "./data";
import { isKey, type Asked, type Said } from "./messages";

/** A sandboxed page has no origin, but its address still says who embeds it. */
const HOME = new URL(location.href).origin;
const MAX_WIDTH = 1_100;
/** The longest page, as a multiple of the frame's width. */
const MAX_LENGTH = 20;
/** What the canvas of a phone holds, in pixels. */
const MAX_AREA = 16_000_000;
const MAX_SIDE = 8_192;
const MAX_IMAGE = 64_000_000;
const MAX_TEXT = 20_000;
const RESIZE_MS = 200;

const place = document.getElementById("place") as HTMLElement;
const words = document.getElementById("text") as HTMLElement;
const say = (said: Said) => parent.postMessage(said, HOME);
let file: PDFDocumentProxy | null = null;
let drawing: RenderTask | null = null;
let now: Extract<Asked, { kind: "show" }> | null = null;

async function open(data: ArrayBuffer): Promise<void> {
  file = await getDocument({
    data: new Uint8Array(data), BinaryDataFactory: Included, cMapPacked: true, useWorkerFetch: false, useSystemFonts: true,
    // WebAssembly would need a laxer policy; these decoders are plain scripts.
    useWasm: false, wasmUrl: new URL("decoders/", location.href).href,
    maxImageSize: MAX_IMAGE, verbosity: VerbosityLevel.ERRORS,
  }).promise;
  say({ kind: "opened", pages: file.numPages });
}

async function show(asked: Extract<Asked, { kind: "show" }>): Promise<void> {
  if (!file) return;
  now = asked;
  const page = await file.getPage(asked.page);
  if (now !== asked) return;
  const canvas = await drawn(page);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", asked.label);
  place.replaceChildren(canvas);
  scrollTo(0, 0);
  say({ kind: "shown", page: asked.page });
  const { items } = await page.getTextContent();
  if (now === asked) words.textContent = items.map((item) => ("str" in item ? item.str + (item.hasEOL ? "\n" : "") : "")).join("").slice(0, MAX_TEXT);
  page.cleanup();
}

/** As wide as the frame, and as sharp as the screen and its memory allow. */
async function drawn(page: PDFPageProxy): Promise<HTMLCanvasElement> {
  drawing?.cancel();
  const { width, height } = page.getViewport({ scale: 1 });
  const room = Math.min(document.documentElement.clientWidth - 16, MAX_WIDTH);
  const size = Math.min(room / width, (room * MAX_LENGTH) / height);
  const sharp = Math.min(size * Math.min(devicePixelRatio, 2), Math.sqrt(MAX_AREA / (width * height)), MAX_SIDE / width, MAX_SIDE / height);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.floor(width * sharp));
  canvas.height = Math.max(1, Math.floor(height * sharp));
  canvas.style.width = `${width * size}px`;
  canvas.style.height = `${height * size}px`;
  drawing = page.render({ canvas, viewport: page.getViewport({ scale: sharp }), annotationMode: AnnotationMode.DISABLE });
  await drawing.promise;
  return canvas;
}

function failed(error: unknown): void {
  const name = error instanceof Error ? error.name : "";
  if (name === "RenderingCancelledException") return;
  say({ kind: "failed", why: name === "PasswordException" ? "password" : "damaged" });
}

addEventListener("message", (event: MessageEvent<Asked>) => {
  if (event.source !== parent || event.origin !== HOME) return;
  if (event.data?.kind === "open") open(event.data.data).catch(failed);
  if (event.data?.kind === "show") show(event.data).catch(failed);
});
addEventListener("keydown", ({ key }) => { if (isKey(key)) say({ kind: "key", key }); });
let waiting: ReturnType<typeof setTimeout> | undefined;
let wide = document.documentElement.clientWidth;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    if (!now || document.documentElement.clientWidth === wide) return;
    wide = document.documentElement.clientWidth;
    show({ ...now }).catch(failed);
  }, RESIZE_MS);
});
say({ kind: "ready" });
