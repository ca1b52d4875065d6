import type { ReactNode } from "react";
import { resendCode } from "../../auth/cognito";
import { useText } from "../../i18n";
import { AuthForm } from "./AuthForm";
import { CodeField, EmailField, PasswordField } from "./Fields";
import type { Flow } from "./flow";
import { BackLink, Resend } from "./links";

export function SignInStep({ flow, note }: { flow: Flow; note: string | undefined }): ReactNode {
  const text = useText();
  const footer = (
    <>
      {flow.selfSignUp && (
        <button type="button" className="link" data-testid="to-sign-up" onClick={() => flow.go({ step: "signUp" })}>{text("toSignUp")}</button>
      )}
      <button type="button" className="link" data-testid="to-reset" onClick={() => flow.go({ step: "resetStart" })}>{text("forgot")}</button>
    </>
  );
  return (
    <AuthForm
      title={text("welcome")} hint={note ?? text("tagline")} submit={text("signIn")} submitTestId="sign-in-submit" footer={footer}
      onSubmit={({ email = "", password = "" }) => flow.signIn(email.trim(), password)}
    >
      <EmailField initial={flow.email} testId="sign-in-email" />
      <PasswordField label={text("password")} name="password" autoComplete="current-password" testId="sign-in-password" />
    </AuthForm>
  );
}

export function SignUpStep({ flow }: { flow: Flow }): ReactNode {
  const text = useText();
  return (
    <AuthForm
      title={text("signUpTitle")} hint={text("tagline")} submit={text("signUp")} submitTestId="sign-up-submit" footer={<BackLink flow={flow} />}
      onSubmit={({ email = "", password = "" }) => flow.signUp(email.trim(), password)}
    >
      <EmailField initial={flow.email} testId="sign-up-email" />
      <PasswordField
        label={text("password")} hint={text("passwordHint")} name="password" autoComplete="new-password" minLength={12} testId="sign-up-password"
      />
    </AuthForm>
  );
}

export function ConfirmStep({ flow }: { flow: Flow }): ReactNode {
  const text = useText();
  return (
    <AuthForm
      title={text("confirmTitle")} hint={text("confirmHint", { email: flow.email })} submit={text("confirm")} submitTestId="confirm-submit"
      onSubmit={({ code = "" }) => flow.confirm(code)}
      footer={<><Resend onResend={() => resendCode(flow.email)} /><BackLink flow={flow} /></>}
    >
      <CodeField label={text("code")} name="code" testId="confirm-code" />
    </AuthForm>
  );
}
