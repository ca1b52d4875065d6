import { useId, type ReactNode } from "react";

interface Props {
  label: string;
  testId: string;
  value: string | number | null;
  options: readonly (readonly [string, string])[];
  onChoose(value: string): void;
}

/** One of a list. */
export function Choice({ label, testId, value, options, onChoose }: Props): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} data-testid={testId} value={value ?? ""} onChange={(event) => onChoose(event.target.value)}>
        {options.map(([key, name]) => <option key={key} value={key}>{name}</option>)}
      </select>
    </div>
  );
}
