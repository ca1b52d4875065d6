import { pickLanguage, type Language } from "../i18n";

export type Theme = "system" | "light" | "dark";

/** localStorage may be forbidden; a preference is not worth failing over. */
function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Kept for this page only.
  }
}

function remove(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // It was never kept.
  }
}

/** Small facts about this browser. */
export const localStore = { getItem: read, setItem: write, removeItem: remove };

/** How this browser shows the app. Nothing secret is kept here. */
export const preferences = {
  theme: (): Theme => {
    const value = read("theme");
    return value === "light" || value === "dark" ? value : "system";
  },
  setTheme: (theme: Theme): void => {
    write("theme", theme);
    applyTheme(theme);
  },
  language: (): Language => pickLanguage(navigator.languages ?? [navigator.language], read("language")),
  setLanguage: (language: Language): void => write("language", language),
};

export function applyTheme(theme: Theme): void {
  if (theme === "system") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.setAttribute("data-theme", theme);
}
