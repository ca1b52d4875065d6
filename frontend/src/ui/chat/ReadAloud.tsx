import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useText } from "../../i18n";
import type { GivenFile } from "../../protocol/frames";
import { useSession } from "../context";
import { SpeakerIcon, StopIcon } from "../Icons";
import { fileLink } from "../queries";
import { orElse, read, recordingOf, type Reading, type Voice } from "./reading";
import { spoken } from "./spoken";

/** The browser's own voice, where it has one. */
function browserVoice(answer: string): Voice | null {
  if (!("speechSynthesis" in window)) return null;
  return (ended) => {
    const words = new SpeechSynthesisUtterance(spoken(answer));
    words.onend = words.onerror = ended;
    speechSynthesis.speak(words);
    return () => speechSynthesis.cancel();
  };
}

/** Reads an answer aloud: as the provider's voice spoke it, if it did, and else with the browser's. */
export function ReadAloud({ answer, files }: { answer: string; files?: readonly GivenFile[] | undefined }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const queries = useQueryClient();
  const [on, setOn] = useState(false);
  const own = useRef<Reading | null>(null);
  useEffect(() => () => own.current?.stop(), []);
  const browser = browserVoice(answer);
  const recording = recordingOf(files);
  if (!recording && !browser) return null;
  const recorded = ({ id }: GivenFile): Voice => orElse((ended, fails) => {
    const audio = new Audio();
    let silent = false;
    audio.onended = ended;
    audio.onerror = fails;
    queries.fetchQuery(fileLink(api, id)).then(({ url }) => {
      if (silent) return undefined;
      audio.src = url;
      return audio.play();
    }).catch(fails);
    return () => {
      silent = true;
      audio.pause();
    };
  }, browser);
  const press = () => {
    if (on) return own.current?.stop();
    const voice = recording ? recorded(recording) : browser;
    if (!voice) return;
    setOn(true);
    own.current = read(voice, () => setOn(false));
  };
  const label = text(on ? "readStop" : "readAloud");
  return (
    <button type="button" className="icon-button small" aria-pressed={on} aria-label={label} title={label} data-testid="read-aloud" onClick={press}>
      {on ? <StopIcon /> : <SpeakerIcon />}
    </button>
  );
}
