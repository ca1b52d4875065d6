import { useSyncExternalStore } from "react";

const query = () => matchMedia("(prefers-color-scheme: dark)");

function dark(): boolean {
  const chosen = document.documentElement.dataset["theme"];
  return chosen ? chosen === "dark" : query().matches;
}

function subscribe(redraw: () => void): () => void {
  const media = query();
  const observer = new MutationObserver(redraw);
  media.addEventListener("change", redraw);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => { media.removeEventListener("change", redraw); observer.disconnect(); };
}

/** Whether the page is dark now: by its own setting, or the system's. */
export function useDark(): boolean {
  return useSyncExternalStore(subscribe, dark, () => false);
}
