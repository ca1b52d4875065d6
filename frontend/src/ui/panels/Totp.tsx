import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { disableTotp, finishTotp, startTotp, totpEnabled } from "../../auth/cognito";
import { useText } from "../../i18n";
import { AuthForm } from "../auth/AuthForm";
import { CodeField } from "../auth/Fields";
import { TotpKey } from "../auth/TotpKey";
import { useSession } from "../context";
import { keys } from "../queries";

/** Turning two-step sign-in on and off. */
export function Totp(): ReactNode {
  const text = useText();
  const { user } = useSession();
  const queries = useQueryClient();
  const { data: enabled, isPending, isError, refetch } = useQuery({ queryKey: keys.totp, queryFn: totpEnabled, retry: false });
  const [key, setKey] = useState<{ secret: string; uri: string } | null>(null);
  const start = useMutation({ mutationFn: () => startTotp(user.email), onSuccess: setKey });
  const stop = useMutation({
    mutationFn: disableTotp, onSuccess: () => queries.setQueryData(keys.totp, false),
  });
  const form = useRef<HTMLDivElement>(null);
  // It opens at the panel's end, where its key would be out of sight.
  useEffect(() => {
    if (key) form.current?.scrollIntoView({ block: "start" });
  }, [key]);
  if (key) {
    return (
      <div ref={form}>
        <AuthForm
          title={text("totpSetupTitle")} hint={text("totpScan")} submit={text("confirm")} submitTestId="totp-enable-submit"
          onSubmit={async ({ code = "" }) => {
            await finishTotp(code);
            queries.setQueryData(keys.totp, true);
            setKey(null);
          }}
          footer={<button type="button" className="link" onClick={() => setKey(null)}>{text("cancel")}</button>}
        >
          <TotpKey secret={key.secret} uri={key.uri} />
          <CodeField label={text("code")} name="code" testId="totp-enable-code" />
        </AuthForm>
      </div>
    );
  }
  if (isPending) return <p className="muted" role="status">{text("loading")}</p>;
  if (isError) {
    return (
      <div role="alert">
        <p>{text("totpFailed")}</p>
        <button type="button" className="button" onClick={() => void refetch()}>{text("retry")}</button>
      </div>
    );
  }
  const failure = start.error ?? stop.error;
  return (
    <>
      <div className="setting-line">
        <span data-testid="totp-state" data-enabled={enabled}>{text(enabled ? "totpOn" : "totpOff")}</span>
        {enabled
          ? <button type="button" className="button" data-testid="totp-disable" disabled={stop.isPending} onClick={() => stop.mutate()}>{text("totpDisable")}</button>
          : <button type="button" className="button" data-testid="totp-enable" disabled={start.isPending} onClick={() => start.mutate()}>{text("totpEnable")}</button>}
      </div>
      {failure && <p className="form-error" role="alert">{text("errUnknown", { message: failure.message })}</p>}
    </>
  );
}
