import type { Texts } from "../en";
import { chat } from "./chat";
import { notes } from "./notes";
import { page } from "./page";
import { panels } from "./panels";
import { people } from "./people";
import { skills } from "./skills";

export const ko: Texts = { ...page, ...chat, ...panels, ...notes, ...people, ...skills };
