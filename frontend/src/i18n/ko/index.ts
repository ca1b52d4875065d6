import type { Texts } from "../en";
import { chat } from "./chat";
import { page } from "./page";
import { panels } from "./panels";

export const ko: Texts = { ...page, ...chat, ...panels };
