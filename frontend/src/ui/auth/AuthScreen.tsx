import { useState, type ReactNode } from "react";
import * as cognito from "../../auth/cognito";
import type { Config } from "../../config";
import { useText } from "../../i18n";
import { Mark } from "../Icons";
import { AuthForm } from "./AuthForm";
import { CodeField, Field, PasswordField } from "./Fields";
import { LanguagePicker } from "../LanguagePicker";
import { TotpKey } from "./TotpKey";

type Step =
  | Exclude<cognito.Challenge, { step: "done" | "unsupported" | "reset" }>
  | { step: "signIn"; note?: string }
  | { step: "signUp" }
  | { step: "resetStart" }
  | { step: "resetFinish" };

interface Props {
  config: Config;
  expired: boolean;
  onSignedIn(): Promise<void>;
}

export function AuthScreen({ config, expired, onSignedIn }: Props): ReactNode {
  const text = useText();
  return (
    <div className="auth">
      <main className="auth-card">
        <div className="brand"><Mark size={36} /><span>{text("appName")}</span></div>
        <Steps config={config} expired={expired} onSignedIn={onSignedIn} />
      </main>
      <footer className="auth-foot">
        {config.notice && <p className="auth-notice muted">{config.notice}</p>}
        <LanguagePicker />
      </footer>
    </div>
  );
}

function Steps({ config, expired, onSignedIn }: Props): ReactNode {
  const text = useText();
  const [step, setStep] = useState<Step>(expired ? { step: "signIn", note: text("signedOut") } : { step: "signIn" });
  const [email, setEmail] = useState("");
  /** Kept in memory between sign-up and its confirmation, so that nobody types it twice. */
  const [password, setPassword] = useState("");

  const follow = async (challenge: cognito.Challenge) => {
    if (challenge.step === "done") return onSignedIn();
    if (challenge.step === "unsupported") throw new Error(text("errUnsupported", { name: challenge.name }));
    if (challenge.step === "reset") {
      await cognito.startReset(email);
      return setStep({ step: "resetFinish" });
    }
    setStep(challenge);
  };
  const toSignIn = (note?: string) => setStep(note ? { step: "signIn", note } : { step: "signIn" });
  const backLink = <button type="button" className="link" onClick={() => toSignIn()}>{text("toSignIn")}</button>;

  switch (step.step) {
    case "signIn":
      return (
        <AuthForm
          key="signIn" title={text("welcome")} hint={step.note ?? text("tagline")} submit={text("signIn")}
          submitTestId="sign-in-submit"
          onSubmit={async ({ email: address = "", password: secret = "" }) => {
            setEmail(address.trim());
            setPassword(secret);
            await follow(await cognito.startSignIn(address.trim(), secret));
          }}
          footer={<>
            {config.selfSignUp && <button type="button" className="link" onClick={() => setStep({ step: "signUp" })}>{text("toSignUp")}</button>}
            <button type="button" className="link" onClick={() => setStep({ step: "resetStart" })}>{text("forgot")}</button>
          </>}
        >
          <Field label={text("email")} name="email" type="email" autoComplete="username" defaultValue={email} testId="sign-in-email" />
          <PasswordField label={text("password")} name="password" autoComplete="current-password" testId="sign-in-password" />
        </AuthForm>
      );
    case "signUp":
      return (
        <AuthForm
          key="signUp" title={text("signUpTitle")} hint={text("tagline")} submit={text("signUp")} footer={backLink}
          submitTestId="sign-up-submit"
          onSubmit={async ({ email: address = "", password: secret = "" }) => {
            setEmail(address.trim());
            setPassword(secret);
            if (await cognito.startSignUp(address.trim(), secret)) setStep({ step: "confirm" });
            else await follow(await cognito.startSignIn(address.trim(), secret));
          }}
        >
          <Field label={text("email")} name="email" type="email" autoComplete="username" defaultValue={email} testId="sign-up-email" />
          <PasswordField label={text("password")} hint={text("passwordHint")} name="password" autoComplete="new-password" minLength={8} testId="sign-up-password" />
        </AuthForm>
      );
    case "confirm":
      return (
        <AuthForm
          key="confirm" title={text("confirmTitle")} hint={text("confirmHint", { email })} submit={text("confirm")}
          submitTestId="confirm-submit"
          onSubmit={async ({ code = "" }) => {
            await cognito.finishSignUp(email, digits(code));
            await follow(await cognito.startSignIn(email, password));
          }}
          footer={<><Resend onResend={() => cognito.resendCode(email)} />{backLink}</>}
        >
          <CodeField label={text("code")} name="code" testId="confirm-code" />
        </AuthForm>
      );
    case "resetStart":
      return (
        <AuthForm
          key="resetStart" title={text("resetTitle")} hint={text("resetHint")} submit={text("sendCode")} footer={backLink}
          submitTestId="reset-send"
          onSubmit={async ({ email: address = "" }) => {
            setEmail(address.trim());
            await cognito.startReset(address.trim());
            setStep({ step: "resetFinish" });
          }}
        >
          <Field label={text("email")} name="email" type="email" autoComplete="username" defaultValue={email} testId="reset-email" />
        </AuthForm>
      );
    case "resetFinish":
      return (
        <AuthForm
          key="resetFinish" title={text("resetTitle")} hint={text("confirmHint", { email })} submit={text("save")}
          submitTestId="reset-submit"
          onSubmit={async ({ code = "", password: secret = "" }) => {
            await cognito.finishReset(email, digits(code), secret);
            toSignIn(text("resetDone"));
          }}
          footer={<><Resend onResend={() => cognito.startReset(email)} />{backLink}</>}
        >
          <CodeField label={text("code")} name="code" testId="reset-code" />
          <PasswordField label={text("newPassword")} hint={text("passwordHint")} name="password" autoComplete="new-password" minLength={8} testId="reset-password" />
        </AuthForm>
      );
    case "newPassword":
      return (
        <AuthForm
          key="newPassword" title={text("newPasswordTitle")} submit={text("save")} submitTestId="new-password-submit"
          onSubmit={async ({ password: secret = "" }) => follow(await cognito.answer(secret, email))}
        >
          <PasswordField label={text("newPassword")} hint={text("passwordHint")} name="password" autoComplete="new-password" minLength={8} testId="new-password" />
        </AuthForm>
      );
    case "totp":
    case "totpSetup":
      return (
        <AuthForm
          key={step.step} title={text(step.step === "totp" ? "totpTitle" : "totpSetupTitle")}
          hint={text(step.step === "totp" ? "totpHint" : "totpScan")} submit={text("confirm")} submitTestId="totp-submit"
          onSubmit={async ({ code = "" }) => follow(await cognito.answer(digits(code), email))} footer={backLink}
        >
          {step.step === "totpSetup" && <TotpKey secret={step.secret} uri={step.uri} />}
          <CodeField label={text("code")} name="code" autoFocus testId="totp-code" />
        </AuthForm>
      );
  }
}

const digits = (code: string) => code.replace(/\s/g, "");

function Resend({ onResend }: { onResend(): Promise<unknown> }): ReactNode {
  const text = useText();
  const [sent, setSent] = useState(false);
  const resend = () => void onResend().then(() => setSent(true), () => setSent(false));
  return sent
    ? <span role="status" className="muted">{text("resent")}</span>
    : <button type="button" className="link" onClick={resend}>{text("resend")}</button>;
}
