import type { TextKey } from "../i18n/en";

export type ShortcutName = Extract<TextKey, "keyHelp" | "keyNew" | "keySearch" | "keyWrite">;
type Press = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">;

/** With Ctrl or ⌘, so that no letter alone does anything; `?` only where nothing is being typed. */
export const SHORTCUTS: readonly { name: ShortcutName; shown: string; key: string; shift: boolean }[] = [
  { name: "keyNew", shown: "Ctrl/⌘ + Shift + O", key: "o", shift: true },
  { name: "keySearch", shown: "Ctrl/⌘ + K", key: "k", shift: false },
  { name: "keyWrite", shown: "Ctrl/⌘ + /", key: "/", shift: false },
  { name: "keyHelp", shown: "?", key: "?", shift: true },
];

/** The shortcut of a key press; `typing`: the focus is in a field. */
export function shortcut(press: Press, typing: boolean): ShortcutName | null {
  if (press.altKey) return null;
  const key = press.key.toLowerCase();
  const control = press.ctrlKey || press.metaKey;
  if (key === "?" && !control) return typing ? null : "keyHelp";
  if (!control || key === "?") return null;
  return SHORTCUTS.find((one) => one.key === key && one.shift === press.shiftKey)?.name ?? null;
}
