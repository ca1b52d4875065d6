/**
 * Draws one diagram in a frame of its own. The frame is sandboxed: it has no origin, so it reaches no cookie,
 * token or network, and its policy allows scripts from our own files only.
 */
import mermaid from "mermaid";
import { MAX_CODE, type Draw, type Said } from "./messages";

/** A sandboxed page has no origin, but its address still says who embeds it. */
const HOME = new URL(location.href).origin;
const MAX_EDGES = 500;
/** What no `%%{init}%%` and no front matter of a diagram may change. */
const SECURE = [
  "secure", "securityLevel", "startOnLoad", "maxTextSize", "maxEdges", "suppressErrorRendering", "dompurifyConfig", "themeCSS",
  "fontFamily", "altFontFamily", "forceLegacyMathML", "legacyMathML",
];
/** A wide diagram is scrolled. Smaller than this, or than this part of its size, nobody could read it. */
const READABLE_PX = 560;
const READABLE_PART = 0.6;

/** The colours of the page (src/styles/base.css); the library counts with them, so they are no variables. */
const COLOURS = {
  light: { background: "#ffffff", primaryColor: "#dcebeb", primaryBorderColor: "#0a6069", primaryTextColor: "#12272c", lineColor: "#4d6469",
    secondaryColor: "#fdf1d6", tertiaryColor: "#eef3f3", edgeLabelBackground: "#ffffff", textColor: "#12272c" },
  dark: { background: "#16252a", primaryColor: "#1d3a40", primaryBorderColor: "#5fc6cb", primaryTextColor: "#e4eeee", lineColor: "#9bb2b5",
    secondaryColor: "#332a14", tertiaryColor: "#0b1416", edgeLabelBackground: "#16252a", textColor: "#e4eeee" },
};

const place = document.getElementById("place") as HTMLElement;
const say = (said: Said) => parent.postMessage(said, HOME);
let count = 0;
let height = 0;

async function draw({ code, dark, label }: Draw): Promise<void> {
  document.documentElement.style.colorScheme = dark ? "dark" : "light";
  mermaid.initialize({
    startOnLoad: false, securityLevel: "strict", secure: SECURE, maxTextSize: MAX_CODE, maxEdges: MAX_EDGES,
    suppressErrorRendering: true, theme: "base", fontFamily: "system-ui, sans-serif",
    themeVariables: { darkMode: dark, dropShadow: "none", useGradient: false, ...COLOURS[dark ? "dark" : "light"] },
  });
  const { svg } = await mermaid.render(`diagram-${++count}`, code);
  place.innerHTML = svg;
  const picture = place.querySelector("svg");
  if (!picture) throw new Error("nothing was drawn");
  const title = picture.querySelector("title")?.textContent;
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", title || label);
  const natural = Number.parseFloat(picture.style.maxWidth) || 0;
  if (natural > 0) picture.style.minWidth = `${Math.min(natural, Math.max(READABLE_PX, natural * READABLE_PART))}px`;
  // A diagram is a picture: none of its links leads anywhere.
  for (const link of place.querySelectorAll("a")) for (const name of ["href", "xlink:href", "target"]) link.removeAttribute(name);
  tell(true);
}

function tell(always = false): void {
  const now = Math.ceil(place.getBoundingClientRect().height);
  place.tabIndex = place.scrollWidth > place.clientWidth ? 0 : -1;
  if (now === 0 || (!always && now === height)) return;
  height = now;
  say({ kind: "drawn", height });
}

addEventListener("message", (event: MessageEvent<Draw>) => {
  if (event.source !== parent || event.origin !== HOME || event.data?.kind !== "draw") return;
  draw(event.data).catch((error: unknown) => say({ kind: "failed", message: error instanceof Error ? error.message : String(error) }));
});
new ResizeObserver(() => { if (height > 0) tell(); }).observe(place);
say({ kind: "ready" });
