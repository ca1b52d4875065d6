import type { GivenFile } from "../../protocol/frames";

/** Begins to speak, and says when that has ended by itself; what it returns makes it silent. */
export type Voice = (ended: () => void) => () => void;
/** Something that is read aloud now. */
export interface Reading { stop(): void }

let reading: Reading | null = null;

/** Reads something aloud, in place of what is read now: the page has one voice for all answers. */
export function read(voice: Voice, onEnd: () => void): Reading {
  reading?.stop();
  let over = false;
  let silence: (() => void) | null = null;
  const end = () => {
    if (over) return;
    over = true;
    if (reading === mine) reading = null;
    onEnd();
  };
  const mine: Reading = {
    stop: () => {
      if (over) return;
      end();
      silence?.();
    },
  };
  reading = mine;
  silence = voice(end);
  return mine;
}

/** The first voice that works: the second begins where the first one `fails`. */
export function orElse(first: (ended: () => void, fails: () => void) => () => void, second: Voice | null): Voice {
  return (ended) => {
    let silent = false;
    let failed = false;
    let silence: (() => void) | null = null;
    const fails = () => {
      if (silent || failed) return;
      failed = true;
      if (second) silence = second(ended);
      else ended();
    };
    const stopFirst = first(ended, fails);
    return () => {
      silent = true;
      (silence ?? stopFirst)();
    };
  };
}

/** The answer as the provider's voice spoke it: what the Bridge adds to an answer under this name. */
export function recordingOf(files: readonly GivenFile[] | undefined): GivenFile | undefined {
  return files?.find(({ name, voice, mimeType }) => voice && name === "voice-answer.ogg" && mimeType.startsWith("audio/"));
}
