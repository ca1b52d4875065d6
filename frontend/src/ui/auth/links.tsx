import { useState, type ReactNode } from "react";
import { useText } from "../../i18n";
import type { Flow } from "./flow";

export function BackLink({ flow }: { flow: Flow }): ReactNode {
  const text = useText();
  return <button type="button" className="link" onClick={() => flow.go({ step: "signIn" })}>{text("toSignIn")}</button>;
}

export function Resend({ onResend }: { onResend(): Promise<unknown> }): ReactNode {
  const text = useText();
  const [sent, setSent] = useState(false);
  const resend = () => void onResend().then(() => setSent(true), () => setSent(false));
  return sent
    ? <span role="status" className="muted">{text("resent")}</span>
    : <button type="button" className="link" onClick={resend}>{text("resend")}</button>;
}
