import type { ReactNode } from "react";
import { useText } from "../../i18n";
import { AuthForm } from "./AuthForm";
import { CodeField } from "./Fields";
import type { Flow } from "./flow";
import { BackLink } from "./links";
import { TotpKey } from "./TotpKey";

/** The code of an authenticator app; with a secret, that of an app being set up. */
export function TotpStep({ flow, secret, uri }: { flow: Flow; secret?: string; uri?: string }): ReactNode {
  const text = useText();
  const setup = secret !== undefined && uri !== undefined;
  return (
    <AuthForm
      title={text(setup ? "totpSetupTitle" : "totpTitle")} hint={text(setup ? "totpScan" : "totpHint")}
      submit={text("confirm")} submitTestId="totp-submit" footer={<BackLink flow={flow} />}
      onSubmit={({ code = "" }) => flow.answer(code)}
    >
      {setup && <TotpKey secret={secret} uri={uri} />}
      <CodeField label={text("code")} name="code" autoFocus testId="totp-code" />
    </AuthForm>
  );
}
