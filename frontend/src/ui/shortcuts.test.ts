import { describe, expect, it } from "vitest";
import { shortcut } from "./shortcuts";

const press = (key: string, more: object = {}) => ({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more });

describe("keyboard shortcuts", () => {
  it.each([
    [press("k", { ctrlKey: true }), false, "keySearch"],
    [press("k", { metaKey: true }), true, "keySearch"],
    [press("O", { ctrlKey: true, shiftKey: true }), true, "keyNew"],
    [press("/", { ctrlKey: true }), false, "keyWrite"],
    [press("?", { shiftKey: true }), false, "keyHelp"],
    [press("?", { shiftKey: true }), true, null],
    [press("k"), false, null],
    [press("o", { ctrlKey: true }), false, null],
    [press("k", { ctrlKey: true, altKey: true }), false, null],
  ])("%j while typing %s is %s", (key, typing, name) => expect(shortcut(key, typing)).toBe(name));
});
