import { useEffect, useState, type ReactNode } from "react";
import { useText } from "../../i18n";
import { SpeakerIcon, StopIcon } from "../Icons";
import { spoken } from "./spoken";

/** Reads an answer with the browser's own voice; absent where it has none. */
export function ReadAloud({ answer }: { answer: string }): ReactNode {
  const text = useText();
  const [on, setOn] = useState(false);
  useEffect(() => () => { if (on) speechSynthesis.cancel(); }, [on]);
  if (!("speechSynthesis" in window)) return null;
  const press = () => {
    speechSynthesis.cancel(); // another answer may be read
    if (on) return setOn(false);
    const words = new SpeechSynthesisUtterance(spoken(answer));
    words.onend = words.onerror = () => setOn(false);
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
