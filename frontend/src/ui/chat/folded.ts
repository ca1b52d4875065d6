import { useSyncExternalStore } from "react";
import { localStore } from "../preferences";

const KEY = "folded";
const MOST = 200;

function load(): ReadonlySet<string> {
  try {
    const known: unknown = JSON.parse(localStore.getItem(KEY) ?? "[]");
    return new Set(Array.isArray(known) ? known.filter((name) => typeof name === "string") : []);
  } catch {
    return new Set(); // damaged: all are open
  }
}

let folded: ReadonlySet<string> | null = null;
const listeners = new Set<() => void>();
const subscribe = (redraw: () => void) => {
  listeners.add(redraw);
  return () => { listeners.delete(redraw); };
};

/** The folders that are closed in this browser. */
export const foldedNow = (): ReadonlySet<string> => (folded ??= load());
export const useFolded = () => useSyncExternalStore(subscribe, foldedNow);

/** Closes or opens a folder. Only the latest are kept, because nobody says when a folder is gone. */
export function setFolded(name: string, closed: boolean): void {
  const others = [...foldedNow()].filter((one) => one !== name);
  folded = new Set(closed ? [...others, name].slice(-MOST) : others);
  localStore.setItem(KEY, JSON.stringify([...folded]));
  listeners.forEach((redraw) => redraw());
}
