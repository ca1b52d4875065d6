import type { TokenizerAndRendererExtension, Tokens } from "marked";

/** A footnote's text: `[^1]: See the manual.` */
export interface NoteToken extends Tokens.Generic { type: "note"; raw: string; name: string }
/** A place that refers to a footnote: `[^1]` */
export interface NoteMark extends Tokens.Generic { type: "noteMark"; raw: string; name: string }

const NOTE = /^\[\^([^\]\s]{1,40})\]:[ \t]+([^\n]+(?:\n(?![ \t]*\n|\[\^)[^\n]+)*)(?:\n+|$)/;
const MARK = /^\[\^([^\]\s]{1,40})\](?!:)/;

export const NOTES: TokenizerAndRendererExtension[] = [
  {
    name: "note", level: "block", start: (source) => found(source, "\n[^"),
    tokenizer(source): NoteToken | undefined {
      const match = NOTE.exec(source);
      if (!match) return undefined;
      return { type: "note", raw: match[0], name: match[1]!, tokens: this.lexer.inline(match[2]!) };
    },
  },
  {
    name: "noteMark", level: "inline", start: (source) => found(source, "[^"),
    tokenizer(source): NoteMark | undefined {
      const match = MARK.exec(source);
      return match ? { type: "noteMark", raw: match[0], name: match[1]! } : undefined;
    },
  },
];

function found(source: string, word: string): number | void {
  const at = source.indexOf(word);
  return at < 0 ? undefined : at;
}
