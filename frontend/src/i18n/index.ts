import { createContext, useContext } from "react";
import { en, type TextKey, type Texts } from "./en";
import { ko } from "./ko";

export type Language = "en" | "ko";
export const LANGUAGES: Record<Language, string> = { en: "English", ko: "한국어" };

export type Values = Record<string, string | number>;
export type Translate = (key: TextKey, values?: Values) => string;

function makeTranslator(texts: Texts): Translate {
  return (key, values = {}) =>
    texts[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

const TRANSLATORS: Record<Language, Translate> = { en: makeTranslator(en), ko: makeTranslator(ko) };

export function translator(language: Language): Translate {
  return TRANSLATORS[language];
}

/** The first of the browser's languages that there are texts for. */
export function pickLanguage(preferred: readonly string[], chosen: string | null): Language {
  for (const tag of chosen ? [chosen, ...preferred] : preferred) {
    const base = tag.toLowerCase().split("-")[0];
    if (base === "en" || base === "ko") return base;
  }
  return "en";
}

export const LanguageContext = createContext<Language>("en");

export function useText(): Translate {
  return translator(useContext(LanguageContext));
}

export function useLanguage(): Language {
  return useContext(LanguageContext);
}
