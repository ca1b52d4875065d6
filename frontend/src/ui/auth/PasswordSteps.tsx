import type { ReactNode } from "react";
import { startReset } from "../../auth/cognito";
import { useText } from "../../i18n";
import { AuthForm } from "./AuthForm";
import { CodeField, EmailField, PasswordField } from "./Fields";
import type { Flow } from "./flow";
import { BackLink, Resend } from "./links";

export function ResetStartStep({ flow }: { flow: Flow }): ReactNode {
  const text = useText();
  return (
    <AuthForm
      title={text("resetTitle")} hint={text("resetHint")} submit={text("sendCode")} submitTestId="reset-send" footer={<BackLink flow={flow} />}
      onSubmit={({ email = "" }) => flow.startReset(email.trim())}
    >
      <EmailField initial={flow.email} testId="reset-email" />
    </AuthForm>
  );
}

export function ResetFinishStep({ flow }: { flow: Flow }): ReactNode {
  const text = useText();
  return (
    <AuthForm
      title={text("resetTitle")} hint={text("confirmHint", { email: flow.email })} submit={text("save")} submitTestId="reset-submit"
      onSubmit={({ code = "", password = "" }) => flow.finishReset(code, password)}
      footer={<><Resend onResend={() => startReset(flow.email)} /><BackLink flow={flow} /></>}
    >
      <CodeField label={text("code")} name="code" testId="reset-code" />
      <PasswordField
        label={text("newPassword")} hint={text("passwordHint")} name="password" autoComplete="new-password" minLength={12} testId="reset-password"
      />
    </AuthForm>
  );
}

/** An account that somebody else made chooses its own password first. */
export function NewPasswordStep({ flow }: { flow: Flow }): ReactNode {
  const text = useText();
  return (
    <AuthForm
      title={text("newPasswordTitle")} submit={text("save")} submitTestId="new-password-submit" footer={<BackLink flow={flow} />}
      onSubmit={({ password = "" }) => flow.answer(password)}
    >
      <PasswordField
        label={text("newPassword")} hint={text("passwordHint")} name="password" autoComplete="new-password" minLength={12} testId="new-password"
      />
    </AuthForm>
  );
}
