import type { Token, Tokens } from "marked";
import { memo, useMemo, useRef, type ReactNode } from "react";
import { CodeBlock } from "./CodeBlock";
import { Diagram } from "./Diagram";
import { Formula } from "./Formula";
import { Inline } from "./Inline";
import { growBlocks, headingLevels, type Blocks } from "./lex";
import type { MathToken } from "./math";
import type { NoteToken } from "./notes";
import { hideUnfinished } from "./unfinished";
import { usePaced } from "./usePaced";

interface BlockProps {
  token: Token;
  linkCount: number;
  /** The block that is being written right now. */
  live: boolean;
  /** Of a heading: its place in the page's outline. */
  level?: number | undefined;
  /** Of a block of its own: it is written from the side where its first letter is read. */
  dir?: "auto" | undefined;
}

/**
 * Markdown as React elements: no HTML string is ever made, so there is nothing to sanitise.
 * Each block is memoised by its source text, so a growing answer re-renders only its last block.
 */
export const Markdown = memo(function Markdown({ text: whole, streaming }: { text: string; streaming: boolean }) {
  const text = usePaced(whole, streaming);
  const known = useRef<Blocks | null>(null);
  const { tokens, linkCount } = useMemo(() => {
    const { tokens, linkCount } = known.current = growBlocks(known.current, text);
    return { tokens: streaming ? hideUnfinished(tokens) : tokens, linkCount };
  }, [text, streaming]);
  const levels = headingLevels(tokens);
  const last = streaming ? tokens.findLastIndex((token) => token.type !== "space") : -1;
  return (
    <div className="markdown">
      {tokens.map((token, index) => (
        <Block key={index} token={token} linkCount={linkCount} live={index === last} level={levels.get(index)} dir="auto" />
      ))}
    </div>
  );
});

const sameBlock = (a: BlockProps, b: BlockProps) =>
  a.token.raw === b.token.raw && a.token.type === b.token.type && a.linkCount === b.linkCount && a.live === b.live
  && a.level === b.level;

const Block = memo(function Block({ token, linkCount, live, level, dir }: BlockProps): ReactNode {
  switch (token.type) {
    case "heading": return <Heading heading={token as Tokens.Heading} level={level} dir={dir} />;
    case "paragraph": return <p dir={dir}><Inline tokens={token.tokens} /></p>;
    case "code": {
      const { text, lang } = token as Tokens.Code;
      const language = lang?.split(/\s/)[0] ?? "";
      if (language.toLowerCase() === "mermaid" && !live) return <Diagram key={text} code={text} />;
      return <CodeBlock code={text} language={language} live={live} />;
    }
    case "blockquote":
      return <blockquote dir={dir}><Nested tokens={token.tokens ?? []} linkCount={linkCount} live={live} /></blockquote>;
    case "list": return <List list={token as Tokens.List} linkCount={linkCount} live={live} dir={dir} />;
    case "table": return <Table table={token as Tokens.Table} dir={dir} />;
    case "math": return <Formula tex={(token as MathToken).text} display />;
    case "note": return <Note note={token as NoteToken} dir={dir} />;
    case "hr": return <hr />;
    case "html": return <p className="md-html">{token.raw.trim()}</p>;
    case "space": case "def": case "checkbox": return null;
    case "text": return <Inline tokens={token.tokens ?? [token]} />;
    default: return <p>{token.raw}</p>;
  }
}, sameBlock);

function Nested({ tokens, linkCount, live }: { tokens: Token[]; linkCount: number; live: boolean }): ReactNode {
  return tokens.map((token, index) => (
    <Block key={index} token={token} linkCount={linkCount} live={live && index === tokens.length - 1} />
  ));
}

type Dir = { dir?: "auto" | undefined };

function Note({ note, dir }: { note: NoteToken } & Dir): ReactNode {
  return <p className="md-note" data-note={note.name} tabIndex={-1} dir={dir}><sup>{note.name}</sup> <Inline tokens={note.tokens} /></p>;
}

function Heading({ heading, level = 6, dir }: { heading: Tokens.Heading; level?: number | undefined } & Dir): ReactNode {
  const Tag = `h${level}` as "h3";
  return <Tag className={`md-h${heading.depth}`} dir={dir}><Inline tokens={heading.tokens} /></Tag>;
}

function List({ list, linkCount, live, dir }: { list: Tokens.List; linkCount: number; live: boolean } & Dir): ReactNode {
  const items = list.items.map((item, index) => (
    <ListItem key={index} token={item} linkCount={linkCount} live={live && index === list.items.length - 1} />
  ));
  return list.ordered ? <ol start={Number(list.start) || 1} dir={dir}>{items}</ol> : <ul dir={dir}>{items}</ul>;
}

/** Memoised on its own: one list can be the whole of a long answer. */
const ListItem = memo(function ListItem({ token, linkCount, live }: BlockProps): ReactNode {
  const item = token as Tokens.ListItem;
  return (
    <li className={item.task ? "md-task" : undefined}>
      {item.task && <input type="checkbox" checked={item.checked ?? false} readOnly disabled aria-label={item.text} />}
      <Nested tokens={item.tokens} linkCount={linkCount} live={live} />
    </li>
  );
}, sameBlock);

function Table({ table, dir }: { table: Tokens.Table } & Dir): ReactNode {
  const align = (index: number) => (table.align[index] ? `md-${table.align[index]}` : undefined);
  return (
    <div className="md-table" tabIndex={0} role="group" dir={dir}>
      <table>
        <thead>
          <tr>{table.header.map((cell, i) => <th key={i} scope="col" className={align(i)}><Inline tokens={cell.tokens} /></th>)}</tr>
        </thead>
        <tbody>
          {table.rows.map((row, r) => (
            <tr key={r}>{row.map((cell, i) => <td key={i} className={align(i)}><Inline tokens={cell.tokens} /></td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
