import { useEffect, useRef, useState } from "react";

/** Characters that are drawn within a frame of the screen without being felt. */
export const STEP = 2_000;
/** Milliseconds between two steps. */
export const STEP_MS = 30;
/** The next chunk is expected after the time since the last one, and somewhat more: gaps grow from 100 ms to 280
 * (GROWTH in container/bridge/turns/delivery.py), and networks are uneven. At least and at most, in milliseconds: */
const GROWTH = 1.2;
const SOON = 60;
const LATE = 340;
/** After so many milliseconds without a chunk, the next one begins anew: it is drawn at the pace of a beginning. */
const SILENCE = 1_000;
const BEGINNING = 100;

/** How much of a text is drawn next: a burst is spread over frames, and no character is cut in two. */
export function nextLength(text: string, drawn: number, step = STEP): number {
  const end = drawn + Math.min(step, STEP);
  if (end >= text.length) return text.length;
  const high = text.charCodeAt(end - 1);
  return high >= 0xd800 && high <= 0xdbff ? end + 1 : end;
}

/**
 * Draws chunks that come a few times a second as an even flow: each over the time in which the next one is due.
 * The first words are drawn at once. Times are in milliseconds.
 */
export class Pace {
  drawn = 0;
  private known = 0;
  private arrived = -Infinity;
  private at = -Infinity;
  private rate = 0;

  /** How much of the text is drawn at a time. */
  next(text: string, now: number): number {
    if (text.length < this.known) this.begin();
    if (text.length !== this.known) this.take(text.length, now);
    if (this.drawn >= text.length || !this.ready(now)) return this.drawn;
    const step = this.drawn === 0 ? STEP : Math.ceil(this.rate * (now - this.at));
    this.drawn = Math.max(nextLength(text, this.drawn, step), this.drawn);
    this.at = now;
    return this.drawn;
  }

  /** Whether more may be drawn. A burst uses every frame of the screen. */
  ready(now: number): boolean {
    return this.drawn === 0 || now - this.at >= STEP_MS || this.rate * STEP_MS > STEP;
  }

  /** Everything, as for an answer that has ended. */
  all(text: string): number {
    this.known = this.drawn = text.length;
    return this.drawn;
  }

  /** What has come, without a flow. */
  chunk(text: string): number {
    if (text.length < this.known) this.begin();
    this.known = text.length;
    this.rate = STEP;
    return (this.drawn = nextLength(text, this.drawn));
  }

  private begin() {
    this.drawn = this.known = 0;
    this.arrived = -Infinity;
  }

  private take(length: number, now: number) {
    const gap = now - this.arrived;
    const due = gap > SILENCE ? BEGINNING : Math.min(Math.max(gap * GROWTH, SOON), LATE);
    // Nothing was left to draw: the first part of this comes now.
    if (this.drawn === this.known) this.at = now - STEP_MS;
    this.rate = (length - this.drawn) / due;
    this.known = length;
    this.arrived = now;
  }
}

/** The part of a streaming text that is drawn now. */
export function usePaced(text: string, streaming: boolean): string {
  const pace = useRef<Pace | null>(null);
  pace.current ??= new Pace();
  const [, again] = useState(0);
  const length = streaming ? drawnOf(pace.current, text) : pace.current.all(text);
  useEffect(() => {
    if (length === text.length) return;
    let frame = requestAnimationFrame(function look() {
      if (pace.current?.ready(performance.now())) again((count) => count + 1);
      else frame = requestAnimationFrame(look);
    });
    return () => cancelAnimationFrame(frame);
  });
  return length === text.length ? text : text.slice(0, length);
}

/** Who asked for little motion gets each chunk at once; only a burst is spread. */
function drawnOf(pace: Pace, text: string): number {
  const calm = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches;
  return calm ? pace.chunk(text) : pace.next(text, performance.now());
}
