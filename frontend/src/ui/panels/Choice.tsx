import { useId, type ReactNode } from "react";
import { useText } from "../../i18n";

interface Props {
  label: string;
  testId: string;
  value: string | number | null;
  options: readonly (readonly [string, string])[];
  hint?: string | undefined;
  /** Which option holds until the person chooses. */
  usual?: string;
  onChoose(value: string): void;
}

/** One of a list. */
export function Choice({ label, testId, value, options, hint, usual, onChoose }: Props): ReactNode {
  const text = useText();
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} data-testid={testId} value={value ?? ""} aria-describedby={hint ? `${id}-hint` : undefined} onChange={(event) => onChoose(event.target.value)}>
        {options.map(([key, name]) => <option key={key} value={key}>{key === usual ? text("defaultOption", { name }) : name}</option>)}
      </select>
      {hint && <p className="hint" id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}
