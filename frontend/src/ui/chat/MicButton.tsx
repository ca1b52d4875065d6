import { useEffect, useRef, useState, type KeyboardEvent, type MouseEvent, type PointerEvent, type ReactNode } from "react";
import { useText } from "../../i18n";
import { MicIcon, StopIcon } from "../Icons";
import { canRecord, record, type Recording } from "./recorder";

/** A press shorter than this is a tap: the recording goes on until the next one. */
const HOLD_MS = 500;

/** Hold it and speak, or tap it, speak and tap again. */
export function MicButton({ onRecorded, onRefused }: { onRecorded(file: File): void; onRefused(): void }): ReactNode {
  const text = useText();
  const [on, setOn] = useState(false);
  /** What is being recorded, or about to be: the person may let go before the microphone is there. */
  const running = useRef<Promise<Recording> | null>(null);
  const pressed = useRef(0);
  useEffect(() => () => void running.current?.then((recording) => recording.stop()).catch(() => undefined), []);
  if (!canRecord()) return null;

  const begin = async () => {
    const recording = running.current = record();
    setOn(true);
    try {
      await recording;
    } catch {
      running.current = null;
      setOn(false);
      onRefused();
    }
  };
  const end = async () => {
    const recording = running.current;
    running.current = null;
    setOn(false);
    const file = await recording?.then((one) => one.stop()).catch(() => null);
    if (file) onRecorded(file);
  };
  const toggle = () => void (running.current ? end() : begin());
  const down = ({ button }: PointerEvent) => {
    if (button !== 0) return;
    pressed.current = running.current ? 0 : Date.now();
    toggle();
  };
  const up = () => {
    if (pressed.current && running.current && Date.now() - pressed.current > HOLD_MS) void end();
    pressed.current = 0;
  };
  /** The keyboard and a screen reader click without a pointer. */
  const onClick = ({ detail }: MouseEvent) => { if (detail === 0) toggle(); };
  const onKeyDown = (event: KeyboardEvent) => { if (event.repeat) event.preventDefault(); }; // a held key clicks once

  const label = text(on ? "recordStop" : "record");
  return (
    <button
      type="button" className={on ? "icon-button recording" : "icon-button"} data-testid="mic" aria-pressed={on} aria-label={label} title={label}
      onPointerDown={down} onPointerUp={up} onPointerCancel={up} onClick={onClick} onKeyDown={onKeyDown}
      onContextMenu={(event) => event.preventDefault()}
    >
      {on ? <StopIcon /> : <MicIcon />}
    </button>
  );
}
