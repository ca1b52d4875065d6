import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { Markdown } from "./Markdown";
import { closeUnfinished } from "./unfinished";

const html = (text: string) => renderToStaticMarkup(<Markdown text={text} streaming />);
const words = (text: string) => html(text).replace(/<[^>]*>/g, "");

describe("unfinished Markdown", () => {
  it.each([
    ["**21*2", "**21*2**"],
    ["**21*2 = 42*", "**21*2 = 42**"],
    ["a *word", "a *word*"],
    ["a **bold and *both", "a **bold and *both***"],
    ["a **bold ", "a **bold**"],
    ["done **bold** and **", "done **bold** and "],
    ["~~gone", "~~gone~~"],
    ["_so", "_so_"],
    ["snake_case_name", "snake_case_name"],
    ["2 * 3 * 4", "2 * 3 * 4"],
    ["use `code", "use `code`"],
    ["use ``a ` b", "use ``a ` b``"],
    ["use `", "use "],
    ["`a*b` and *c", "`a*b` and *c*"],
    ["see [the do", "see the do"],
    ["see [the doc]", "see the doc"],
    ["see [the doc](https://exam", "see the doc"],
    ["see [the **doc](https://exam", "see the **doc**"],
    ["see [the doc](https://example.com/) and", "see [the doc](https://example.com/) and"],
    ["![a pic", ""],
    ["![a picture](https://exam", ""],
    ["an array a[1] of *x", "an array a[1] of *x*"],
    ["\\*not emphasis", "\\*not emphasis"],
    ["- **one**\n- **tw", "- **one**\n- **tw**"],
    ["- one **open\n- two", "- one **open\n- two"],
    ["- [ ] *to do", "- [ ] *to do*"],
    ["# A *head", "# A *head*"],
    ["> a *quote", "> a *quote*"],
    ["Title\n-", "Title"],
    ["text\n``", "text"],
    ["1.", ""],
    ["a rule above\n\n---", "a rule above\n\n---"],
    ["It costs 5.", "It costs 5."],
    ["| a | **b", "| a | **b**|\n|---|---|"],
    ["| a | b |\n|--", "| a | b |\n|---|---|"],
    ["|x| is the absolute value", "|x| is the absolute value"],
  ])("%j becomes %j", (raw, shown) => expect(closeUnfinished(raw)).toBe(shown));

  it("is drawn as it will be when it is finished", () => {
    expect(html("The answer:\n\n**21*2")).toContain("<strong>21*2</strong>");
    expect(html("- a\n- use `co")).toContain("<code>co</code>");
    expect(html("| a | b |")).toContain("<th");
    expect(html("| a | b |\n|---|---|\n| 1 | *2")).toContain("<em>2</em>");
    expect(html("see [the doc](https://exam")).toBe(html("see the doc"));
    expect(html("```py\nx = 1\n``")).toBe(html("```py\nx = 1"));
  });

  it("shows no mark at any moment", () => {
    const text = "Some **bold text**, *soft*, ~~gone~~, `code` and [a link](https://example.com/x_y).\n\n"
      + "## A **head**\n\n- **one** item\n- [x] a `task`\n  1. ***both***\n\n> *quoted* words\n\n"
      + "| a | b |\n|---|:-:|\n| **1** | `2` |\n\nThe end.";
    for (let length = 1; length <= text.length; length += 1) {
      expect(words(text.slice(0, length)), text.slice(0, length)).not.toMatch(/[*~`|[\]#]|https|^&gt;/);
    }
  });

  it("leaves a finished text as it is", () => {
    const text = "**bold** and *half";
    expect(renderToStaticMarkup(<Markdown text={text} streaming={false} />)).toContain("*half");
  });

  it("keeps up with the longest answers", () => {
    const begun = performance.now();
    closeUnfinished(`${"- **item** with `code` and [link](https://example.com/)\n".repeat(2_000)}- **last`);
    closeUnfinished(`${"word *and* ".repeat(20_000)}**last`);
    closeUnfinished("[".repeat(2_000));
    closeUnfinished("`a ``b ".repeat(2_000));
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});
