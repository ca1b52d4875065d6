/** Every text of the app. */
import { chat } from "./chat";
import { page } from "./page";
import { panels } from "./panels";

export const en = { ...page, ...chat, ...panels };

export type TextKey = keyof typeof en;
export type Texts = Record<TextKey, string>;
