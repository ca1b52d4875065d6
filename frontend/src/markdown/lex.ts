import { Marked, type Token, type TokensList } from "marked";
import { MATH } from "./math";
import { NOTES } from "./notes";

const reader = new Marked({ gfm: true, breaks: false, extensions: [...MATH, ...NOTES] });

export interface Blocks {
  text: string;
  tokens: Token[];
  /** Changes when a link definition arrives, which can change blocks whose text did not. */
  linkCount: number;
}

/**
 * The level of each heading on the page, by index of its block. The page owns levels 1 and 2;
 * an answer that skips levels must not make the page's outline skip them.
 */
export function headingLevels(tokens: readonly Token[]): Map<number, number> {
  const levels = new Map<number, number>();
  let above = 2;
  tokens.forEach((token, index) => {
    if (token.type !== "heading") return;
    above = Math.min(token["depth"] as number + 2, above + 1, 6);
    levels.set(index, above);
  });
  return levels;
}

/** Splits Markdown into top-level blocks. Finished blocks keep their `raw`, so they need no new render. */
export function lexBlocks(text: string): Blocks {
  const tokens: TokensList = reader.lexer(text);
  return { text, tokens, linkCount: Object.keys(tokens.links).length };
}

/** Blocks at the end that more text can still change. */
const OPEN_BLOCKS = 3;

/** The same for a text that grew: only its end is read again, or a long answer would cost more with every word. */
export function growBlocks(before: Blocks | null, text: string): Blocks {
  if (!before || before.linkCount > 0 || !text.startsWith(before.text)) return lexBlocks(text);
  const kept = before.tokens.slice(0, -OPEN_BLOCKS);
  const offset = kept.reduce((sum, token) => sum + token.raw.length, 0);
  // The lexer unifies line ends; then its blocks are no measure of the text any more.
  if (!text.startsWith(kept.at(-1)?.raw ?? "", offset - (kept.at(-1)?.raw.length ?? 0))) return lexBlocks(text);
  const tail = lexBlocks(text.slice(offset));
  if (tail.linkCount > 0) return lexBlocks(text);
  return { text, tokens: [...kept, ...tail.tokens], linkCount: 0 };
}
