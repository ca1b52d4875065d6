import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useText } from "../../i18n";
import { useSession } from "../context";
import { keys } from "../queries";

/** Commands that the person has allowed for good. Nothing is shown while there are none. */
export function AllowedCommands(): ReactNode {
  const text = useText();
  const { api } = useSession();
  const queries = useQueryClient();
  const { data } = useQuery({ queryKey: keys.allowed, queryFn: api.allowed, staleTime: 0 });
  const revoke = useMutation({ mutationFn: api.revoke, onSuccess: (commands) => queries.setQueryData(keys.allowed, commands) });
  if (!data?.length) return null;
  return (
    <>
      <h4>{text("allowedTitle")}</h4>
      <ul className="automations" data-testid="allowed">
        {data.map(({ id, command, directory, revoked }) => (
          <li key={id}>
            <code dir="ltr">{command}</code>
            {directory && <p className="muted">{text("approvalWhere", { directory })}</p>}
            {revoked ? <p className="note" role="status">{text("allowedRevoked")}</p>
              : <button type="button" className="button" aria-label={text("allowedRevokeOf", { command })} disabled={revoke.isPending} onClick={() => revoke.mutate(id)}>{text("allowedRevoke")}</button>}
          </li>
        ))}
      </ul>
      {revoke.isError && <p className="form-error" role="alert">{revoke.error.message}</p>}
    </>
  );
}
