import type { TokenizerAndRendererExtension, Tokens } from "marked";

/** A formula in TeX; `display`: on a line of its own. */
export interface MathToken extends Tokens.Generic { type: "math"; raw: string; text: string; display: boolean }

const BLOCK = /^(?:\$\$([^$]+?)\$\$|\\\[([\s\S]+?)\\\])[ \t]*(?:\n|$)/;
/** A dollar sign before a digit is money more often than a formula: "from $5 to $10" stays text. */
const INLINE = /^(?:\$\$([^$\n]+?)\$\$|\$(?![\s\d])((?:\\.|[^$\\\n])+?)(?<!\s)\$(?!\d)|\$(\d(?:\\.|[^$\\\n])*?[=+\\^_](?:\\.|[^$\\\n])*?)(?<!\s)\$(?!\d)|\\\((.+?)\\\))/;

function token(match: RegExpExecArray | null, display: boolean): MathToken | undefined {
  const text = match?.slice(1).find((part) => part !== undefined)?.trim();
  return match && text ? { type: "math", raw: match[0], text, display: display || match[0].startsWith("$$") } : undefined;
}

/** `$x$`, `$$x$$`, `\(x\)` and `\[x\]`, as models write them. */
export const MATH: TokenizerAndRendererExtension[] = [
  { name: "math", level: "block", start: (source) => lineWith(source, /\n(?:\$\$|\\\[)/), tokenizer: (source) => token(BLOCK.exec(source), true) },
  { name: "math", level: "inline", start: (source) => indexOf(source, /\$|\\\(/), tokenizer: (source) => token(INLINE.exec(source), false) },
];

/** A block begins a line. In the middle of one it would cut a paragraph in two. */
function lineWith(source: string, pattern: RegExp): number | void {
  const at = source.search(pattern);
  return at < 0 ? undefined : at + 1;
}

function indexOf(source: string, pattern: RegExp): number | void {
  const at = source.search(pattern);
  return at < 0 ? undefined : at;
}
