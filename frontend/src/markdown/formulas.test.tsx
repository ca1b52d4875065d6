import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { fileName } from "./download";
import { lexBlocks } from "./lex";
import { Markdown } from "./Markdown";

const html = (text: string) => renderToStaticMarkup(<Markdown text={text} streaming={false} />);
const formulas = (text: string) => {
  const found: string[] = [];
  const visit = (tokens: readonly { type: string; text?: string; tokens?: unknown; items?: unknown }[]) => {
    for (const token of tokens) {
      if (token.type === "math") found.push(String(token.text));
      for (const inner of [token.tokens, token.items]) if (Array.isArray(inner)) visit(inner);
    }
  };
  visit(lexBlocks(text).tokens as never);
  return found;
};

describe("formulas", () => {
  it.each([
    ["so $x^2$ holds", ["x^2"]],
    ["so \\(a_1\\) and $$b$$ hold", ["a_1", "b"]],
    ["$$\n\\frac{1}{2}\n$$", ["\\frac{1}{2}"]],
    ["\\[\nx = 1\n\\]", ["x = 1"]],
    ["then $2x = 4$.", ["2x = 4"]],
    ["- item with $y$", ["y"]],
  ])("are found in %j", (text, wanted) => expect(formulas(text)).toEqual(wanted));

  it.each(["from $5 to $10 a month", "`$x$`", "```\n$$x$$\n```", "costs $ 5 or 5$ each", "\\$x\\$", "$HOME and $PATH2"])(
    "are not seen in %j", (text) => expect(formulas(text)).toEqual([]));

  it("show their source until KaTeX is loaded", () => expect(html("$x^2$")).toContain("<code>x^2</code>"));
});

describe("footnotes", () => {
  it("have a mark to press and a text", () => {
    const out = html("It is so[^1].\n\n[^1]: See *the manual*,\n  page 2.");
    expect(out).toContain('class="md-mark"');
    expect(out).toContain('data-note="1"');
    expect(out).toContain("<em>the manual</em>");
  });
  it("leave links and arrays alone", () => {
    expect(html("[x](https://example.com/) and a[0]")).not.toContain("md-mark");
  });
});

describe("a code block as a file", () => {
  it.each([["python", "code.py"], ["c++", "code.c++"], ["", "code.txt"], ["../../x", "code.x"]])("of %s is %s", (language, name) =>
    expect(fileName(language)).toBe(name));
});
