import type { ReactNode } from "react";
import { LANGUAGES, useLanguage, useText, type Language } from "../i18n";
import { useSetLanguage } from "./language";

export function LanguagePicker(): ReactNode {
  const text = useText();
  const language = useLanguage();
  const setLanguage = useSetLanguage();
  return (
    <select
      className="quiet-select" aria-label={text("language")} value={language}
      onChange={(event) => setLanguage(event.target.value as Language)}
    >
      {Object.entries(LANGUAGES).map(([code, name]) => <option key={code} value={code}>{name}</option>)}
    </select>
  );
}
