import { useId, useState, type InputHTMLAttributes, type ReactNode } from "react";
import { useText } from "../../i18n";
import { EyeIcon } from "../Icons";

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: string;
  testId?: string;
}

export function Field({ label, hint, testId, ...input }: FieldProps): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} data-testid={testId} aria-describedby={hint ? `${id}-hint` : undefined} required {...input} />
      {hint && <p className="hint" id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}

export function EmailField({ initial, testId }: { initial: string; testId: string }): ReactNode {
  const text = useText();
  return <Field label={text("email")} name="email" type="email" autoComplete="username" defaultValue={initial} testId={testId} />;
}

export function PasswordField({ label, hint, testId, ...input }: FieldProps): ReactNode {
  const text = useText();
  const id = useId();
  const [shown, setShown] = useState(false);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="with-button">
        <input
          id={id} data-testid={testId} type={shown ? "text" : "password"} required
          aria-describedby={hint ? `${id}-hint` : undefined} {...input}
        />
        <button
          type="button" className="icon-button" aria-pressed={shown}
          aria-label={text(shown ? "hidePassword" : "showPassword")} onClick={() => setShown(!shown)}
        >
          <EyeIcon />
        </button>
      </div>
      {hint && <p className="hint" id={`${id}-hint`}>{hint}</p>}
    </div>
  );
}

export function CodeField({ label, testId, ...input }: FieldProps): ReactNode {
  return (
    <Field
      label={label} {...(testId ? { testId } : {})} inputMode="numeric" autoComplete="one-time-code" pattern="\s*[0-9 ]{6,8}\s*"
      className="code-input" {...input}
    />
  );
}
