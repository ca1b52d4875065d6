/** Every text of the app. */
import { chat } from "./chat";
import { notes } from "./notes";
import { page } from "./page";
import { panels } from "./panels";
import { people } from "./people";
import { skills } from "./skills";

export const en = { ...page, ...chat, ...panels, ...notes, ...people, ...skills };

export type TextKey = keyof typeof en;
export type Texts = Record<TextKey, string>;
