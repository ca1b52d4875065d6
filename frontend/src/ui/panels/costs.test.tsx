import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import { forecast } from "../../core/budget";
import { Parts } from "./CostParts";

const AT = new Date(2026, 10, 16).getTime(); // half of November is over
const cost = { month: "2026-11", usd: 1.5, complete: true };
const parts = [
  { cause: "answers" as const, model: "anthropic/claude", usd: 1.2, calls: 40 },
  { cause: "itself" as const, model: "openai/gpt", usd: 0.1, calls: 3 },
];

it("tells what the month was spent for, and what is not known", () => {
  const shown = renderToStaticMarkup(<Parts costs={{ month: "2026-11", parts, awakeMs: 9_000_000, awsUsd: 0.05 }} cost={cost} now={AT} />);
  const plain = shown.replace(/<[^>]+>/g, "");
  expect(plain).toContain("$1.20 for answers · anthropic/claude, 40 calls");
  expect(plain).toContain("$0.10 for what your agent did by itself");
  expect(plain).toContain("$0.20 for other calls");
  expect(plain).toContain("$0.05 to AWS, roughly, for 2.5 hours awake");
  expect(plain).toContain("about $3.00 in the whole month");
});

it("says what it counts of an agent that is suspended between turns", () => {
  const costs = { month: "2026-11", parts: [], awakeMs: 3_600_000, awsUsd: 0.25, pauses: 12 };
  const plain = renderToStaticMarkup(<Parts costs={costs} cost={cost} now={AT} />).replace(/<[^>]+>/g, "");
  expect(plain).toContain("$0.25 to AWS, roughly, for 1 hours running and for pauses (12) with their storage; without machines that were killed");
  expect(plain).not.toContain("hours awake");
});

it("makes no forecast from the first days of a month", () => {
  expect(forecast(1, new Date(2026, 10, 3).getTime())).toBeNull();
  expect(forecast(1, new Date(2026, 10, 11).getTime())).toBe(3);
});
