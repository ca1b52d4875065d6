import { useEffect, useRef, useState, type ReactNode } from "react";
import { useText } from "../../i18n";
import { SpeakerIcon, StopIcon } from "../Icons";
import { spoken } from "./spoken";

/** What is being read: the browser has one voice for all answers. */
let reading: SpeechSynthesisUtterance | null = null;

function silence(words: SpeechSynthesisUtterance | null): void {
  if (words === null || words !== reading) return; // another answer has the voice by now
  reading = null;
  speechSynthesis.cancel();
}

/** Reads an answer with the browser's own voice; absent where it has none. */
export function ReadAloud({ answer }: { answer: string }): ReactNode {
  const text = useText();
  const [on, setOn] = useState(false);
  const own = useRef<SpeechSynthesisUtterance | null>(null);
  useEffect(() => () => silence(own.current), []);
  if (!("speechSynthesis" in window)) return null;
  const press = () => {
    silence(reading); // this answer or another one
    if (on) return setOn(false);
    const words = own.current = reading = new SpeechSynthesisUtterance(spoken(answer));
    words.onend = words.onerror = () => {
      if (reading === words) reading = null;
      if (own.current === words) setOn(false);
    };
    speechSynthesis.speak(words);
    setOn(true);
  };
  const label = text(on ? "readStop" : "readAloud");
  return (
    <button type="button" className="icon-button small" aria-pressed={on} aria-label={label} title={label} data-testid="read-aloud" onClick={press}>
      {on ? <StopIcon /> : <SpeakerIcon />}
    </button>
  );
}
