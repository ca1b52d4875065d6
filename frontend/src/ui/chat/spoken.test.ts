import { describe, expect, it } from "vitest";
import { spoken } from "./spoken";

describe("an answer that is read aloud", () => {
  it.each([
    ["# Tea\n\n**Green** tea, _at_ `70`.", "Tea\n\n Green tea, at 70 ."],
    ["See [the shop](https://a.example/x) ![a pot](pot.png)", "See the shop"],
    ["Run:\n```sh\nrm -rf x\n```\nDone", "Run:\n\nDone"],
    ["- one\n- two\n\n> three", "one\ntwo\nthree"],
    ["```\nnever closed", ""],
  ])("has no marks: %s", (markdown, words) => expect(spoken(markdown)).toBe(words));
});
