import type { Item } from "../../core/timeline";

/** The beginning of a day like 2026-11-29 where the reader is; NaN for anything else. */
export function beginningOf(day: string): number {
  return /^\d{4}-\d{2}-\d{2}$/.test(day) ? new Date(`${day}T00:00`).getTime() : NaN;
}

/** A day as a date field has it. */
export function dayOf(at: number): string {
  const date = new Date(at);
  const two = (number: number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The messages of that time and later; the last one when all are older. */
export function idsSince(items: readonly Item[], at: number): string[] {
  const since = items.filter((item) => item.createdAt >= at);
  return (since.length ? since : items.slice(-1)).map(({ id }) => id);
}

/** Brings the first of these messages that is shown to the top of the log: an earlier version of an answer is not. */
export function showFirst(ids: readonly string[]): void {
  const draw = () => {
    const wanted = new Set(ids);
    const message = [...document.querySelectorAll<HTMLElement>("[data-message-id]")].find(({ dataset }) => wanted.has(dataset.messageId ?? ""));
    message?.closest<HTMLElement>("[role=log]")?.focus({ preventScroll: true });
    message?.scrollIntoView({ block: "start" });
  };
  // The first frame draws what was loaded, the second one comes after it.
  requestAnimationFrame(() => requestAnimationFrame(draw));
}
