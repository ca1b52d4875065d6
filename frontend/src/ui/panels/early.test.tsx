import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import { EarlyStarts } from "./EarlyStarts";

const shown = (starts: number, ready: number, usd: number, budgetUsd: number) =>
  renderToStaticMarkup(<EarlyStarts early={{ starts, ready, usd, budgetUsd }} />);

it("tells what the early starts of the month bought, and what they cost", () => {
  expect(shown(20, 14, 0.12, 0.3)).toContain("14 of 20 starts were ready before you · $0.12 of $0.30");
});

it("tells that there were none yet", () => {
  expect(shown(0, 0, 0, 0.3)).toContain("No early starts yet this month · $0.00 of $0.30");
});

it("says nothing where they are off, but tells what was bought before that", () => {
  expect(shown(0, 0, 0, 0)).toBe("");
  expect(shown(2, 1, 0.02, 0)).toContain("1 of 2");
});
