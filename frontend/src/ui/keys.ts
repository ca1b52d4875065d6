/** What a key press says of itself; the DOM's KeyboardEvent has all of it. */
export type KeyPress = Pick<KeyboardEvent, "key" | "shiftKey" | "isComposing" | "keyCode">;

/** keyCode 229 is an input method's: Safari ends the composition before it reports the key that did so. */
const composes = ({ isComposing, keyCode }: KeyPress): boolean => isComposing || keyCode === 229;

/** A touch keyboard has no Shift + Enter, so there Enter makes a new line. */
export function sendsOnEnter(press: KeyPress, touch: boolean): boolean {
  return press.key === "Enter" && !press.shiftKey && !composes(press) && !touch;
}

/** Enter keeps what was written, Escape drops it; while an input method is at work both are its own. */
export function finishes(press: KeyPress): "keep" | "drop" | null {
  if (composes(press)) return null;
  return press.key === "Enter" ? "keep" : press.key === "Escape" ? "drop" : null;
}
