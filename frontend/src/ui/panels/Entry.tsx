import { useEffect, useId, useState, type ReactNode } from "react";
import { finishes } from "../keys";

interface Props {
  label: string;
  testId: string;
  /** What is saved. */
  value: string;
  placeholder: string;
  hint?: string;
  inputMode?: "text" | "decimal";
  /** Proposed as one types; anything else may be written too. */
  suggestions?: readonly { id: string; name: string }[];
  /** What is wrong with a text, if anything. */
  problem(text: string): string | null;
  onSave(text: string): void;
}

/** A text that is saved when it is done: on Enter, on leaving the field, or as soon as a suggestion is chosen. */
export function Entry({ label, testId, value, placeholder, hint, inputMode = "text", suggestions = [], problem, onSave }: Props): ReactNode {
  const id = useId();
  const [draft, setDraft] = useState(value);
  const [wrong, setWrong] = useState<string | null>(null);
  useEffect(() => setDraft(value), [value]);

  const save = (typed: string) => {
    const text = typed.trim();
    const found = problem(text);
    setWrong(found);
    if (found === null && text !== value) onSave(text);
  };
  const change = (typed: string) => {
    setDraft(typed);
    setWrong(null);
    if (suggestions.some((one) => one.id === typed)) save(typed);
  };
  const described = wrong === null ? hint && `${id}-hint` : `${id}-wrong`;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id} data-testid={testId} value={draft} placeholder={placeholder} inputMode={inputMode} autoComplete="off" spellCheck={false}
        list={suggestions.length ? `${id}-list` : undefined} aria-invalid={wrong !== null} aria-describedby={described || undefined}
        onChange={(event) => change(event.target.value)} onBlur={() => save(draft)}
        onKeyDown={(event) => { if (finishes(event.nativeEvent) === "keep") save(draft); }}
      />
      {suggestions.length > 0 && (
        <datalist id={`${id}-list`}>
          {suggestions.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
        </datalist>
      )}
      {wrong === null
        ? hint && <p className="hint" id={`${id}-hint`}>{hint}</p>
        : <p className="form-error" role="alert" id={`${id}-wrong`}>{wrong}</p>}
    </div>
  );
}
