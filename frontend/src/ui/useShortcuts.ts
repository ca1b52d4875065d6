import { useEffect } from "react";
import { COMPOSER_ID } from "./chat/Composer";
import type { PanelName } from "./context";
import { shortcut, type ShortcutName } from "./shortcuts";

const FIELDS = "input, textarea, select, [contenteditable]";

/** Listens for the page's shortcuts; a dialog that is open keeps the keys to itself. */
export function useShortcuts(startNew: () => void, open: (panel: PanelName) => void): void {
  useEffect(() => {
    const actions: Record<ShortcutName, () => void> = {
      keyNew: startNew,
      keySearch: () => document.querySelector<HTMLElement>('[data-testid="conversation-search"]')?.focus(),
      keyWrite: () => document.getElementById(COMPOSER_ID)?.focus(),
      keyHelp: () => open("conversation"),
    };
    const listen = (event: KeyboardEvent) => {
      if (event.isComposing || document.querySelector("dialog[open]")) return;
      const name = shortcut(event, event.target instanceof Element && event.target.matches(FIELDS));
      if (!name) return;
      event.preventDefault();
      actions[name]();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [startNew, open]);
}
