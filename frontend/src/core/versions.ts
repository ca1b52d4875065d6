/**
 * A question asked again, or edited and sent again, is a new message for the agent, which remembers
 * both. Its id carries the id of the first one (`m-<new>-again-<first>`), so that every tab, also after
 * a reload, can show the newest in the place of the one before it. Equal texts alone say nothing:
 * people write "continue" twice and mean it.
 */
import { answerId } from "../protocol/frames";
import { newId } from "./id";
import type { Item } from "./timeline";

const PREFIX = "m-";
const AGAIN = "-again-";
const OURS = /^m-[a-z0-9]{20}(?:-again-([a-z0-9]{20}))?$/;

export const questionId = (): string => newId(PREFIX);

/** The id of a question that takes another's place in view; ids of other clients' making are not carried on. */
export function againId(replaced: string): string {
  const root = rootOf(replaced);
  return root ? questionId() + AGAIN + root : questionId();
}

/** Questions with the same root are versions of one. */
function rootOf(id: string): string | null {
  const match = OURS.exec(id);
  return match ? match[1] ?? id.slice(PREFIX.length) : null;
}

export interface Version {
  /** The slot of the first question, which names them all. */
  turn: string;
  /** Which one is shown, from 1. */
  at: number;
  of: number;
}

/** A row to draw. */
export interface Shown extends Item {
  /** Stays when another version is shown in its place. */
  slot: string;
  /** On the last row of a turn that has other versions. */
  version?: Version;
}

/** What somebody chose to see, by turn; a version that came since is shown instead. */
export type Chosen = Readonly<Record<string, Version>>;

/** A question and what answers it; or an answer whose question is not loaded. */
type Turn = readonly [Item, ...Item[]];

/** Puts versions that directly follow each other in one place; the newest is shown unless another is chosen. */
export function collapse(items: readonly Item[], chosen: Chosen): Shown[] {
  return groups(turnsOf(items)).flatMap((turns) => {
    const of = turns.length;
    const first = turns[0][0].id;
    const pick = chosen[first];
    const at = pick?.of === of ? pick.at : of;
    const turn = turns[at - 1] ?? turns[0];
    return turn.map((item, index): Shown => {
      const shown = { ...item, slot: index === 0 ? first : answerId(first) };
      return of > 1 && index === turn.length - 1 ? { ...shown, version: { turn: first, at, of } } : shown;
    });
  });
}

function turnsOf(items: readonly Item[]): Turn[] {
  const turns: [Item, ...Item[]][] = [];
  for (const item of items) {
    const turn = turns.at(-1);
    if (turn && item.replyTo === turn[0].id) turn.push(item);
    else turns.push([item]);
  }
  return turns;
}

function groups(turns: readonly Turn[]): [Turn, ...Turn[]][] {
  const found: [Turn, ...Turn[]][] = [];
  for (const turn of turns) {
    const before = found.at(-1);
    if (before && replaces(turn[0].id, before[0][0].id)) before.push(turn);
    else found.push([turn]);
  }
  return found;
}

const replaces = (later: string, first: string): boolean => later.includes(AGAIN) && rootOf(later) !== null && rootOf(later) === rootOf(first);
