import { createContext, useContext, type Dispatch, type SetStateAction } from "react";
import type { Language } from "../i18n";

const Context = createContext<Dispatch<SetStateAction<Language>>>(() => undefined);

export const LanguageSetter = Context;
export const useSetLanguage = () => useContext(Context);
