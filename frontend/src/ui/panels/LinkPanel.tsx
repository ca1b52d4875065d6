import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type ReactNode } from "react";
import type { LinkCode } from "../../api";
import { clockText, endsAt } from "../../core/countdown";
import { useText } from "../../i18n";
import { Confirm } from "../Confirm";
import { CopyButton } from "../CopyButton";
import { CheckIcon } from "../Icons";
import { useSession } from "../context";
import { keys } from "../queries";
import { QrCode } from "../QrCode";
import { useNow } from "../useNow";

/** The `link` frame tells at once; this is for when it is lost. */
const POLL_MS = 5_000;

export function LinkPanel(): ReactNode {
  const text = useText();
  const { api } = useSession();
  const status = useQuery({
    queryKey: keys.link, queryFn: api.linkStatus, staleTime: 0,
    refetchInterval: (query) => (query.state.data?.linked ? false : POLL_MS),
  });
  if (status.isPending) return <p className="muted" role="status">{text("loading")}</p>;
  return status.data?.linked ? <Linked name={status.data.telegramName} blocked={status.data.blocked === true} /> : <Pairing />;
}

function Linked({ name, blocked }: { name: string | undefined; blocked: boolean }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const unlink = useMutation({
    mutationFn: api.unlink,
    onSuccess: () => queries.setQueryData(keys.link, { linked: false }),
  });
  return (
    <>
      <p className="good" role="status" data-testid="link-status"><CheckIcon />{name ? text("linkedAs", { name }) : text("linked")}</p>
      <p className="muted">{text("linkedBody")}</p>
      {blocked && <p className="form-error" data-testid="link-blocked">{text("linkBlocked")}</p>}
      {unlink.isError && <p className="form-error" role="alert">{unlink.error.message}</p>}
      <button type="button" className="button danger-quiet" data-testid="unlink" onClick={() => setAsking(true)}>{text("unlink")}</button>
      {asking && (
        <Confirm
          title={text("unlink")} body={text("unlinkConfirm")} action={text("unlink")} onClose={() => setAsking(false)}
          onConfirm={() => { setAsking(false); unlink.mutate(); }}
        />
      )}
    </>
  );
}

interface Current { code: LinkCode; receivedAt: number; ends: number }

/** Shows a code that is always valid: a new one is fetched when the old one runs out. */
function Pairing(): ReactNode {
  const text = useText();
  const { api, config } = useSession();
  const [current, setCurrent] = useState<Current | null>(null);
  const { mutate, isPending, isError, error } = useMutation({
    mutationFn: api.newLinkCode,
    onSuccess: (code) => {
      const receivedAt = Date.now();
      setCurrent({ code, receivedAt, ends: endsAt(code.expiresAt, receivedAt) });
    },
  });
  const now = useNow(true);
  const expired = current !== null && now >= current.ends;
  const asked = useRef(false);

  useEffect(() => {
    if (asked.current && !expired) return;
    asked.current = true;
    if (!isError) mutate();
  }, [expired, isError, mutate]);

  if (isError) {
    return (
      <div role="alert">
        <p>{text("linkFailed")} {error.message}</p>
        <button type="button" className="button" onClick={() => mutate()}>{text("retry")}</button>
      </div>
    );
  }
  if (!current || expired || isPending) return <p className="muted" role="status">{text("linkRenewing")}</p>;
  const { code, deepLink } = current.code;
  return (
    <>
      <p>{text("linkIntro")}</p>
      {deepLink
        ? <div className="link-step">
            <p className="muted">{text("linkStep1")}</p>
            <QrCode value={deepLink} />
            <a className="button primary wide" href={deepLink} target="_blank" rel="noopener noreferrer" data-testid="link-open">{text("linkOpen")}</a>
          </div>
        : !config.telegramBot && <p className="bar bar-info">{text("noBot")}</p>}
      <p className="muted">{text(deepLink ? "linkStep2" : "linkSend")}</p>
      <div className="link-command">
        <code aria-label={text("linkCodeLabel")}>/link <strong data-testid="link-code">{code}</strong></code>
        <CopyButton value={`/link ${code}`} label={text("copy")} />
      </div>
      <p className="muted countdown" role="timer" aria-live="off" data-testid="link-countdown">
        {text("linkExpiresIn", { time: clockText(current.ends - Math.max(now, current.receivedAt)) })}
      </p>
      <p className="activity"><span className="dots" aria-hidden="true"><i /><i /><i /></span>{text("linkWaiting")}</p>
    </>
  );
}
