import { describe, expect, it } from "vitest";
import { pickLanguage, translator } from ".";
import { en, type TextKey } from "./en";
import { chat } from "./en/chat";
import { notes } from "./en/notes";
import { page } from "./en/page";
import { panels } from "./en/panels";
import { people } from "./en/people";
import { skills } from "./en/skills";
import { ko } from "./ko";

const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

describe("texts", () => {
  it("have the same values to fill in, in both languages", () => {
    for (const key of Object.keys(en) as TextKey[]) {
      expect(ko[key], key).not.toBe("");
      expect(holes(ko[key]), key).toEqual(holes(en[key]));
    }
  });
  it("have each name once: a second one would take the place of the first", () => {
    const names = [page, chat, panels, notes, people, skills].flatMap(Object.keys);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });
  it("fills in values", () => expect(translator("ko")("minutes", { count: 5 })).toBe("5분"));
  it("follows the browser until the person chooses", () => {
    expect(pickLanguage(["fr", "ko-KR", "en"], null)).toBe("ko");
    expect(pickLanguage(["ko-KR"], "en")).toBe("en");
    expect(pickLanguage(["fr"], null)).toBe("en");
  });
});
