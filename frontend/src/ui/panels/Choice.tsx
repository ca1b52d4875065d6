import { useId, type ReactNode } from "react";

interface Props {
  label: string;
  testId: string;
  value: string | number | null;
  options: readonly (readonly [string, string])[];
  hint?: string | undefined;
  onChoose(value: string): void;
}

/** One of a list. */
export function Choice({ label, testId, value, options, hint, onChoose }: Props): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} data-testid={testId} value={value ?? ""} aria-describedby={hint ? `${id}-hint` : undefined} onChange={(event) => onChoose(event.target.value)}>
        {options.map(([key, name]) => <option key={key} value={key}>{name}</option>)}
      </select>
      {hint && <p className="hint" id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}
