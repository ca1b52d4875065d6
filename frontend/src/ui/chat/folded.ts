import { localStore } from "../preferences";

const KEY = "folded";
const MOST = 200;

/** The folders that are closed in this browser. */
export function loadFolded(): ReadonlySet<string> {
  try {
    const known: unknown = JSON.parse(localStore.getItem(KEY) ?? "[]");
    return new Set(Array.isArray(known) ? known.filter((name) => typeof name === "string") : []);
  } catch {
    return new Set(); // damaged: all are open
  }
}

/** Only the latest are kept, because a folder that is gone says no goodbye. */
export function saveFolded(name: string, folded: boolean): void {
  const others = [...loadFolded()].filter((one) => one !== name);
  localStore.setItem(KEY, JSON.stringify(folded ? [...others, name].slice(-MOST) : others));
}
