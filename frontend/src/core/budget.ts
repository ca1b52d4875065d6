export interface BudgetState {
  state: "fine" | "near" | "reached";
  /** Whole percent of the limit, rounded down: 100 means that it is reached. */
  percent: number;
}

/** From here on the limit is worth a warning; the server warns at the same share. */
const NEAR = 0.8;

export function budgetState(usd: number, limitUsd: number): BudgetState {
  const share = usd / limitUsd;
  const percent = Math.floor(share * 100 + 1e-9);
  return { state: share >= 1 ? "reached" : share >= NEAR ? "near" : "fine", percent };
}

export const LEAST_BUDGET = 0.1;
export const MOST_BUDGET = 1000;

/** A monthly limit as a person writes it: null for none, undefined for what cannot be one. */
export function parseBudget(text: string): number | null | undefined {
  const written = text.trim().replace(/^\$\s*/, "").replace(",", ".");
  if (written === "") return null;
  if (!/^\d+(\.\d{1,2})?$/.test(written)) return undefined;
  const usd = Number(written);
  return usd >= LEAST_BUDGET && usd <= MOST_BUDGET ? usd : undefined;
}

/** The month's cost at this pace, in the browser's time zone; null in its first three days, which say little. */
export function forecast(usd: number, now: number): number | null {
  const at = new Date(now);
  const begun = new Date(at.getFullYear(), at.getMonth(), 1).getTime();
  const end = new Date(at.getFullYear(), at.getMonth() + 1, 1).getTime();
  return now - begun < 3 * 86_400_000 ? null : (usd * (end - begun)) / (now - begun);
}
