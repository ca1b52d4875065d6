import { useState, type FormEvent, type ReactNode } from "react";
import { useText } from "../../i18n";
import { authErrorText } from "./errors";

interface Props {
  title: string;
  hint?: string;
  submit: string;
  submitTestId?: string;
  onSubmit(fields: Record<string, string>): Promise<void>;
  children: ReactNode;
  footer?: ReactNode;
}

/** One step of signing in: a title, fields, one button; errors are told in a live region. */
export function AuthForm({ title, hint, submit, submitTestId, onSubmit, children, footer }: Props): ReactNode {
  const text = useText();
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const send = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const fields: Record<string, string> = {};
    new FormData(event.currentTarget).forEach((value, key) => { fields[key] = String(value); });
    if (fields["code"]) fields["code"] = fields["code"].replace(/\s/g, "");
    setBusy(true);
    setError(null);
    try {
      await onSubmit(fields);
    } catch (caught) {
      setError(authErrorText(caught, text));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form className="auth-form" onSubmit={send} aria-busy={busy}>
      <h1>{title}</h1>
      {hint && <p className="muted">{hint}</p>}
      {children}
      <p className="form-error" role="alert">{error}</p>
      <button type="submit" className="button primary wide" disabled={busy} data-testid={submitTestId}>
        {submit}
      </button>
      {footer && <div className="auth-links">{footer}</div>}
    </form>
  );
}
