import type { ReactNode } from "react";
import type { Config } from "../../config";
import { useText } from "../../i18n";
import { Mark } from "../Icons";
import { LanguagePicker } from "../LanguagePicker";
import { useFlow, type Flow } from "./flow";
import { ConfirmStep, SignInStep, SignUpStep } from "./SignInSteps";
import { NewPasswordStep, ResetFinishStep, ResetStartStep } from "./PasswordSteps";
import { TotpStep } from "./TotpStep";

interface Props {
  config: Config;
  expired: boolean;
  onSignedIn(): Promise<void>;
}

export function AuthScreen({ config, expired, onSignedIn }: Props): ReactNode {
  const text = useText();
  const flow = useFlow(config.selfSignUp, expired, onSignedIn);
  return (
    <div className="auth">
      <main className="auth-card">
        <div className="brand"><Mark size={36} /><span>{text("appName")}</span></div>
        <CurrentStep flow={flow} />
      </main>
      <footer className="auth-foot">
        {config.notice && <p className="auth-notice muted">{config.notice}</p>}
        <LanguagePicker />
      </footer>
    </div>
  );
}

function CurrentStep({ flow }: { flow: Flow }): ReactNode {
  const { step } = flow;
  switch (step.step) {
    case "signIn": return <SignInStep flow={flow} note={step.note} />;
    case "signUp": return <SignUpStep flow={flow} />;
    case "confirm": return <ConfirmStep flow={flow} />;
    case "resetStart": return <ResetStartStep flow={flow} />;
    case "resetFinish": return <ResetFinishStep flow={flow} />;
    case "newPassword": return <NewPasswordStep flow={flow} />;
    case "totp": return <TotpStep flow={flow} />;
    case "totpSetup": return <TotpStep flow={flow} secret={step.secret} uri={step.uri} />;
  }
}
