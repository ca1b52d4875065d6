import { useSyncExternalStore } from "react";

const query = () => matchMedia("(max-width: 767px)");

const subscribe = (redraw: () => void) => {
  const media = query();
  media.addEventListener("change", redraw);
  return () => media.removeEventListener("change", redraw);
};

export function useIsPhone(): boolean {
  return useSyncExternalStore(subscribe, () => query().matches);
}
