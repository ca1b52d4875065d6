import { useState, type ReactNode } from "react";
import { useText } from "../../i18n";
import { authErrorText } from "./errors";
import type { Flow } from "./flow";

export function BackLink({ flow }: { flow: Flow }): ReactNode {
  const text = useText();
  return <button type="button" className="link" onClick={() => flow.go({ step: "signIn" })}>{text("toSignIn")}</button>;
}

export function Resend({ onResend }: { onResend(): Promise<unknown> }): ReactNode {
  const text = useText();
  const [sent, setSent] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const resend = () => {
    setError(null);
    onResend().then(() => setSent(true), (caught: unknown) => setError(authErrorText(caught, text)));
  };
  if (sent) return <span role="status" className="muted">{text("resent")}</span>;
  return (
    <>
      <button type="button" className="link" onClick={resend}>{text("resend")}</button>
      {error && <span role="alert" className="form-error">{error}</span>}
    </>
  );
}
