import type { ReactNode } from "react";
import { useText } from "../../i18n";
import { CopyButton } from "../CopyButton";
import { QrCode } from "../QrCode";

/** The secret of an authenticator app, as a QR code and to type in. */
export function TotpKey({ secret, uri }: { secret: string; uri: string }): ReactNode {
  const text = useText();
  return (
    <div className="totp-key">
      <QrCode value={uri} />
      <p className="muted">{text("totpKey")}</p>
      <div className="key-line">
        <code data-testid="totp-secret">{secret}</code>
        <CopyButton value={secret} label={text("copy")} />
      </div>
    </div>
  );
}
