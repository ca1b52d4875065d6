import { describe, expect, it } from "vitest";
import { finishes, sendsOnEnter } from "./keys";

const key = (more = {}) => ({ key: "Enter", shiftKey: false, isComposing: false, keyCode: 13, ...more });
const press = (more = {}, touch = false) => sendsOnEnter(key(more), touch);

describe("Enter in the composer", () => {
  it("sends", () => expect(press()).toBe(true));
  it("makes a new line with Shift", () => expect(press({ shiftKey: true })).toBe(false));
  it("only ends the composition of an input method", () => expect(press({ isComposing: true })).toBe(false));
  it("only ends it in Safari too, which reports the Enter afterwards", () => expect(press({ keyCode: 229 })).toBe(false));
  it("makes a new line on a touch keyboard", () => expect(press({}, true)).toBe(false));
});

describe("a field of one line", () => {
  it("is kept by Enter", () => expect(finishes(key())).toBe("keep"));
  it("is dropped by Escape", () => expect(finishes(key({ key: "Escape", keyCode: 27 }))).toBe("drop"));
  it("goes on at any other key", () => expect(finishes(key({ key: "a", keyCode: 65 }))).toBeNull());
  it.each(["Enter", "Escape"])("goes on at the %s of an input method", (name) => {
    expect(finishes(key({ key: name, isComposing: true }))).toBeNull();
    expect(finishes(key({ key: name, keyCode: 229 }))).toBeNull();
  });
});
