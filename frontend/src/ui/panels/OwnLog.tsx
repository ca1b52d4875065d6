import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import type { LogLine } from "../../people";
import { useLanguage, useText } from "../../i18n";
import { useSession } from "../context";
import { keys } from "../queries";

/** What the agent's own container has logged, folded away; it is loaded when it is opened. */
export function OwnLog(): ReactNode {
  const text = useText();
  const { api } = useSession();
  const [open, setOpen] = useState(false);
  const { data, isError, refetch } = useQuery({ queryKey: keys.log, queryFn: api.health.log, staleTime: 0, enabled: open });
  return (
    <details className="own-log" data-testid="own-log" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{text("logTitle")}</summary>
      <p className="muted">{text("logHint")}</p>
      {open && !data && !isError && <p className="muted" role="status">{text("loading")}</p>}
      {isError && (
        <div role="alert">
          <p>{text("logFailed")}</p>
          <button type="button" className="button" onClick={() => void refetch()}>{text("retry")}</button>
        </div>
      )}
      {data?.length === 0 && <p className="muted" data-testid="log-none">{text("logNone")}</p>}
      {data && data.length > 0 && (
        <ol tabIndex={0} aria-label={text("logTitle")} data-testid="log-lines">
          {data.map((line, at) => <Line key={at} line={line} />)}
        </ol>
      )}
    </details>
  );
}

export function Line({ line }: { line: LogLine }): ReactNode {
  const time = new Intl.DateTimeFormat(useLanguage(), { dateStyle: "short", timeStyle: "medium" }).format(line.at);
  const fields = Object.entries(line.fields).map(([name, value]) => `${name}=${value}`).join(" ");
  return <li><time dateTime={new Date(line.at).toISOString()}>{time}</time> <code>{line.event}</code>{fields && ` ${fields}`}</li>;
}
