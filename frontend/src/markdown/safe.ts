/** What of the agent's Markdown may become a link, an image or a character. */

const LINK = /^(https?:|mailto:|tel:)/i;
const DATA_IMAGE = /^data:image\/(png|jpeg|gif|webp);base64,[a-z0-9+/=\s]+$/i;

/** A link target, or null for `javascript:` and everything else that is not plainly a link. */
export function safeHref(href: string): string | null {
  const trimmed = href.trim();
  return LINK.test(trimmed) ? trimmed : null;
}

export type ImageSource = { kind: "inline"; src: string } | { kind: "remote"; src: string; host: string } | null;

/**
 * A remote image is loaded only on request: its address can carry what the agent was
 * tricked into telling, and loading it would deliver that to a stranger.
 */
export function imageSource(href: string): ImageSource {
  if (DATA_IMAGE.test(href)) return { kind: "inline", src: href };
  try {
    const url = new URL(href);
    return url.protocol === "https:" ? { kind: "remote", src: url.href, host: url.host } : null;
  } catch {
    return null;
  }
}

const NAMED: Record<string, string> = {
  amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", reg: "®", trade: "™",
  hellip: "…", mdash: "—", ndash: "–", lsquo: "‘", rsquo: "’", ldquo: "“", rdquo: "”", bull: "•",
  middot: "·", times: "×", divide: "÷", deg: "°", plusmn: "±", larr: "←", rarr: "→", uarr: "↑", darr: "↓",
  euro: "€", pound: "£", yen: "¥", cent: "¢", sect: "§", para: "¶", laquo: "«", raquo: "»",
};

/** Character references, which the lexer leaves as they are for an HTML renderer. */
export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]+);/gi, (whole, name: string) => {
    if (!name.startsWith("#")) return NAMED[name] ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
