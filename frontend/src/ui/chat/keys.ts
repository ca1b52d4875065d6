export interface KeyPress {
  key: string;
  shiftKey: boolean;
  isComposing: boolean;
  keyCode: number;
  /** A touch keyboard has no Shift + Enter, so there Enter makes a new line. */
  touch: boolean;
}

/** keyCode 229 is an input method's: Safari ends the composition before it reports the Enter that did so. */
export function sendsOnEnter({ key, shiftKey, isComposing, keyCode, touch }: KeyPress): boolean {
  return key === "Enter" && !shiftKey && !isComposing && keyCode !== 229 && !touch;
}
