import type { Token } from "marked";
import { lexBlocks } from "./lex";

/** Blocks in which marks stand for emphasis, code and links; in the others they are text. */
const INLINE = new Set(["paragraph", "heading", "list", "blockquote", "table", "text"]);
const ITEM = /^[ \t]*(?:>[ \t]?)*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?|#{1,6}[ \t]+)/;
/** A last line of nothing but marks: the beginning of an item, a rule, a fence, a heading. */
const MARKS_ONLY = /(?:^|\n)[ \t>]*(?:[-+*_=#>`~|]{1,2}|\d{1,9}[.)]|(?:[-*+]|\d{1,9}[.)])[ \t]+\[[ xX]?\]?)?[ \t]*$/;

/** The blocks of a text that is being written, without the marks of what is not finished in the last one. */
export function hideUnfinished(tokens: Token[]): Token[] {
  const last = tokens.findLastIndex((token) => token.type !== "space");
  const token = tokens[last];
  if (!token) return tokens;
  const shown = token.type === "code" ? withoutFence(token.raw) : INLINE.has(token.type) ? closeUnfinished(token.raw) : token.raw;
  if (shown === token.raw) return tokens;
  return [...tokens.slice(0, last), ...lexBlocks(shown).tokens, ...tokens.slice(last + 1)];
}

/** One block's Markdown, its unfinished emphasis and code closed, its unfinished links reduced to their words. */
export function closeUnfinished(raw: string): string {
  const block = raw.replace(MARKS_ONLY, "");
  const start = inlineStart(block);
  return asTable(block.slice(0, start) + closeInline(block.slice(start)));
}

/** A closing fence that is half there. */
function withoutFence(raw: string): string {
  return raw.replace(/\n[ \t]*(?:`{1,2}|~{1,2})$/, "");
}

/** Where the inline text begins that is being written: emphasis does not reach over items, cells and paragraphs. */
function inlineStart(block: string): number {
  let start = block.length;
  while (start > 0) {
    const line = block.lastIndexOf("\n", start - 1) + 1;
    const text = block.slice(line, start);
    if (/^[ \t]*\|/.test(text)) return Math.max(line + text.replace(/\\./g, "  ").lastIndexOf("|") + 1, line);
    const prefix = ITEM.exec(text);
    if (prefix) return line + prefix[0].length;
    if (line === 0) return 0;
    if (block.slice(0, line).endsWith("\n\n")) return line;
    start = line - 1;
  }
  return 0;
}

/** A table's first line alone would show its bars; with the line below it, it is a table already. */
function asTable(block: string): string {
  const [head = "", rule = "", ...more] = block.trimEnd().split("\n");
  if (!/^\|[ \t]/.test(head) || more.length || !/^[\s|:-]*$/.test(rule)) return block;
  const columns = head.replace(/\\./g, "").replace(/\|?[ \t]*$/, "").split("|").length - 1;
  return `${head.replace(/\|?[ \t]*$/, "|")}\n|${"---|".repeat(columns)}`;
}

interface Open { mark: string; length: number }

function closeInline(source: string): string {
  let text = source;
  const open: Open[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at]!;
    if (char === "\\") at += 2;
    else if (char === "`") {
      const fence = /^`+/.exec(text.slice(at))![0];
      const end = closingFence(text, fence, at + fence.length);
      if (end === null) {
        const code = text.slice(at + fence.length).replace(/`+$/, "");
        text = text.slice(0, at) + (code.trim() ? `${fence}${code.trimEnd()}${fence}` : "");
        break;
      }
      at = end;
    } else if (char === "[" || (char === "!" && text[at + 1] === "[")) {
      [text, at] = link(text, at);
    } else if (/[*_~]/.test(char)) {
      const run = text.slice(at).match(char === "*" ? /^\*+/ : char === "_" ? /^_+/ : /^~+/)![0];
      if (at + run.length === text.length) text = text.slice(0, at);
      else emphasis(text, at, run, open);
      at += run.length;
    } else at += 1;
  }
  if (open.length === 0) return text;
  return text.trimEnd() + open.toReversed().map(({ mark, length }) => mark.repeat(length)).join("");
}

function closingFence(text: string, fence: string, from: number): number | null {
  for (const found of text.slice(from).matchAll(/`+/g)) {
    if (found[0].length === fence.length) return from + found.index + fence.length;
  }
  return null;
}

/** The text with an unfinished link reduced to its words (an image to nothing), and where to read on. */
function link(text: string, at: number): [string, number] {
  const image = text[at] === "!";
  const label = at + (image ? 2 : 1);
  const end = matching(text, label, "[", "]");
  const words = (to: number): [string, number] =>
    image ? [text.slice(0, at), at] : [text.slice(0, at) + text.slice(label, to), at];
  if (end === null) return words(text.length);
  const next = text[end + 1];
  if (next === undefined) return words(end);
  if (next !== "(" && next !== "[") return [text, label];
  const target = next === "(" ? matching(text, end + 2, "(", ")") : matching(text, end + 2, "[", "]");
  return target === null ? words(end) : [text, target + 1];
}

function matching(text: string, from: number, opens: string, closes: string): number | null {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === opens) depth += 1;
    else if (text[at] === closes && depth-- === 0) return at;
  }
  return null;
}

const isSpace = (char: string | undefined) => char === undefined || /\s/.test(char);
const isMark = (char: string | undefined) => char !== undefined && /[\p{P}\p{S}]/u.test(char);

/** CommonMark's rules for what may open and close emphasis; inside a word a star is taken for a star. */
function emphasis(text: string, at: number, run: string, open: Open[]): void {
  const [before, after] = [text[at - 1], text[at + run.length]];
  const left = !isSpace(after) && (!isMark(after) || isSpace(before) || isMark(before));
  const right = !isSpace(before) && (!isMark(before) || isSpace(after) || isMark(after));
  const inWord = left && right;
  let rest = run.length;
  if (right && !(run[0] === "_" && inWord)) {
    while (rest > 0) {
      const index = open.findLastIndex(({ mark, length }) => mark === run[0] && !(inWord && (length + rest) % 3 === 0));
      const opener = open[index];
      if (!opener) break;
      const taken = Math.min(rest, opener.length);
      rest -= taken;
      opener.length -= taken;
      open.length = opener.length ? index + 1 : index;
    }
  }
  if (left && !right && rest > 0) open.push({ mark: run[0]!, length: rest });
}
