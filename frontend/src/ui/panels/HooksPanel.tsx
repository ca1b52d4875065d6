import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import type { Hook } from "../../api";
import { useLanguage, useText } from "../../i18n";
import { Confirm } from "../Confirm";
import { CopyButton } from "../CopyButton";
import { useSession } from "../context";
import { keys } from "../queries";
import { HookForm } from "./HookForm";

/** Addresses to which other programs post. */
export function HooksPanel(): ReactNode {
  const text = useText();
  const { api } = useSession();
  const [made, setMade] = useState<{ hook: Hook; url: string } | null>(null);
  const { data, isError, refetch } = useQuery({ queryKey: keys.hooks, queryFn: api.hooks, staleTime: 0 });
  if (isError) {
    return (
      <div role="alert">
        <p>{text("hooksFailed")}</p>
        <button type="button" className="button" onClick={() => void refetch()}>{text("retry")}</button>
      </div>
    );
  }
  return (
    <>
      <p className="muted">{text("hooksIntro")}</p>
      {made && <Address name={made.hook.name} url={made.url} />}
      {!data && <p className="muted" role="status">{text("loading")}</p>}
      {data?.length === 0 && <p className="muted" data-testid="hooks-none">{text("hooksNone")}</p>}
      {data && data.length > 0 && (
        <ul className="automations">
          {data.map((hook) => <Row key={hook.id} hook={hook} onRevoked={() => { if (made?.hook.id === hook.id) setMade(null); }} />)}
        </ul>
      )}
      <HookForm onMade={setMade} />
    </>
  );
}

function Address({ name, url }: { name: string; url: string }): ReactNode {
  const text = useText();
  return (
    <div className="hook-url" role="status" data-testid="hook-made">
      <strong>{text("hookUrl", { name })}</strong>
      <div className="key-line">
        <code data-testid="hook-url">{url}</code>
        <CopyButton value={url} label={text("copy")} />
      </div>
      <p className="muted">{text("hookUrlOnce")}</p>
    </div>
  );
}

function Row({ hook, onRevoked }: { hook: Hook; onRevoked(): void }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const format = new Intl.DateTimeFormat(useLanguage(), { dateStyle: "medium", timeStyle: "short" });
  const revoke = useMutation({
    mutationFn: () => api.revokeHook(hook.id),
    onSuccess: () => {
      queries.setQueryData<Hook[]>(keys.hooks, (known = []) => known.filter((one) => one.id !== hook.id));
      onRevoked();
    },
  });
  return (
    <li data-testid="hook">
      <strong dir="auto">{hook.name}</strong>
      {hook.instruction && <p dir="auto">{hook.instruction}</p>}
      <p className="muted">
        {hook.usedAt ? text("hookUsed", { count: hook.uses, time: format.format(hook.usedAt) }) : text("hookUnused")}
      </p>
      {revoke.isError && <p className="form-error" role="alert">{revoke.error.message}</p>}
      <div className="buttons">
        <button type="button" className="button danger-quiet" data-testid="hook-revoke" disabled={revoke.isPending} onClick={() => setAsking(true)}>{text("hookRevoke")}</button>
      </div>
      {asking && (
        <Confirm
          title={text("hookRevoke")} body={text("hookRevokeConfirm", { name: hook.name })} action={text("hookRevoke")}
          onClose={() => setAsking(false)} onConfirm={() => { setAsking(false); revoke.mutate(); }}
        />
      )}
    </li>
  );
}
