import { describe, expect, it } from "vitest";
import { dollars } from "../i18n/money";
import { budgetState, parseBudget } from "./budget";

describe("the budget", () => {
  it.each([
    [0, "fine", 0], [3.99, "fine", 79], [4, "near", 80], [4.999, "near", 99], [5, "reached", 100], [7.5, "reached", 150],
  ])("of 5 dollars is with %d dollars %s, at %d %%", (usd, state, percent) =>
    expect(budgetState(usd, 5)).toEqual({ state, percent }));

  it.each([
    ["", null], [" ", null], ["5", 5], ["$5", 5], ["2,50", 2.5], ["0.1", 0.1], ["1000", 1000],
    ["0.09", undefined], ["1000.01", undefined], ["1.234", undefined], ["five", undefined], ["-1", undefined], ["1e3", undefined], ["1,000", undefined],
  ])("written %j is %j", (text, usd) => expect(parseBudget(text)).toBe(usd));

  it("is told in the reader's way, and small sums are not called nothing", () => {
    expect(dollars(1.2, "en")).toBe("$1.20");
    expect(dollars(0, "en")).toBe("$0.00");
    expect(dollars(0.00345, "en")).toBe("$0.0035");
    expect(dollars(5, "ko")).toBe("$5.00");
  });
});
