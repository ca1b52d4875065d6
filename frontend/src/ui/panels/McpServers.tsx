import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type FormEvent, type ReactNode } from "react";
import { ApiError, type McpServer } from "../../api";
import { useText } from "../../i18n";
import type { TextKey } from "../../i18n/en";
import { Confirm } from "../Confirm";
import { useSession } from "../context";
import { keys } from "../queries";

const PROBLEMS: Record<string, TextKey> = {
  BAD_ENDPOINT: "mcpBadUrl", SERVER_EXISTS: "mcpExists", TOO_MANY: "mcpTooMany", BAD_FIELD: "mcpBadField",
};

/** Programs elsewhere that lend the agent tools. A token goes to the server once, and never comes back. */
export function McpServers(): ReactNode {
  const text = useText();
  const { api } = useSession();
  const { data, isError, refetch } = useQuery({ queryKey: keys.mcp, queryFn: api.mcpServers, staleTime: 0 });
  return (
    <>
      <p className="muted">{text("mcpHint")}</p>
      <p className="note-warning">{text("mcpSafety")}</p>
      {isError && (
        <div role="alert">
          <p>{text("mcpFailed")}</p>
          <button type="button" className="button" onClick={() => void refetch()}>{text("retry")}</button>
        </div>
      )}
      {data && data.length > 0 && <ul className="automations">{data.map((server) => <Row key={server.name} server={server} />)}</ul>}
      <McpForm />
    </>
  );
}

function Row({ server }: { server: McpServer }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const remove = useMutation({
    mutationFn: () => api.removeMcpServer(server.name), onSuccess: (known) => queries.setQueryData(keys.mcp, known),
  });
  const title = text("mcpRemove", { name: server.name });
  return (
    <li data-testid="mcp-server">
      <strong><bdi>{server.name}</bdi></strong>
      <p className="muted break"><bdi>{server.url}</bdi> · {text(server.token ? "mcpHasToken" : "mcpNoToken")}</p>
      {remove.isError && <p className="form-error" role="alert">{remove.error.message}</p>}
      <div className="buttons">
        <button type="button" className="button danger-quiet" data-testid="mcp-remove" disabled={remove.isPending} onClick={() => setAsking(true)}>{title}</button>
      </div>
      {asking && (
        <Confirm
          title={title} body={text("mcpRemoveConfirm", { name: server.name })} action={title} onClose={() => setAsking(false)}
          onConfirm={() => { setAsking(false); remove.mutate(); }}
        />
      )}
    </li>
  );
}

function McpForm(): ReactNode {
  const text = useText();
  const { api } = useSession();
  const queries = useQueryClient();
  const id = useId();
  const [name, setName] = useState("");
  const [url, setUrl] = useState("");
  const [token, setToken] = useState("");
  const add = useMutation({
    mutationFn: () => api.addMcpServer({ name: name.trim(), url: url.trim(), token: token.trim() }),
    onSuccess: (known) => {
      queries.setQueryData(keys.mcp, known);
      for (const clear of [setName, setUrl, setToken]) clear("");
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!add.isPending) add.mutate();
  };
  const problem = add.error instanceof ApiError ? PROBLEMS[add.error.code] : undefined;
  return (
    <form className="hook-form" onSubmit={submit}>
      <div className="field">
        <label htmlFor={`${id}-name`}>{text("mcpName")}</label>
        <input id={`${id}-name`} data-testid="mcp-name" value={name} maxLength={32} aria-required="true" autoComplete="off" spellCheck={false}
          aria-describedby={`${id}-name-hint`} onChange={(event) => setName(event.target.value)} />
        <p className="hint" id={`${id}-name-hint`}>{text("mcpNameHint")}</p>
      </div>
      <div className="field">
        <label htmlFor={`${id}-url`}>{text("mcpUrl")}</label>
        <input id={`${id}-url`} data-testid="mcp-url" type="text" inputMode="url" value={url} maxLength={1024} aria-required="true" autoComplete="off"
          spellCheck={false} placeholder="https://" aria-describedby={`${id}-url-hint`} onChange={(event) => setUrl(event.target.value)} />
        <p className="hint" id={`${id}-url-hint`}>{text("mcpUrlHint")}</p>
      </div>
      <div className="field">
        <label htmlFor={`${id}-token`}>{text("mcpToken")}</label>
        <input id={`${id}-token`} data-testid="mcp-token" type="password" value={token} maxLength={3000} autoComplete="off"
          aria-describedby={`${id}-token-hint`} onChange={(event) => setToken(event.target.value)} />
        <p className="hint" id={`${id}-token-hint`}>{text("mcpTokenHint")}</p>
      </div>
      {add.isError && <p className="form-error" role="alert" data-testid="mcp-problem">{problem ? text(problem) : add.error.message}</p>}
      <button type="submit" className="button primary" data-testid="mcp-add" disabled={add.isPending}>{text("mcpAdd")}</button>
    </form>
  );
}
