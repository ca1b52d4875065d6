import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import type { MemoryReport, MemoryRequest, RestorePoint } from "../../api";
import { useLanguage, useText } from "../../i18n";
import type { TextKey } from "../../i18n/en";
import { Confirm } from "../Confirm";
import { useSession } from "../context";
import { keys } from "../queries";
import { MemoryImport } from "./MemoryImport";
import { sizeText } from "../sizeText";

const REASONS: Record<string, TextKey> = {
  turn: "memoryTurn", stop: "memoryStop", restored: "memoryRestored", imported: "memoryImported",
  "before restore": "memoryBeforeRestore", "before import": "memoryBeforeImport",
};
// A save sends no frame, so an open panel looks now and then.
const POLL_MS = { pending: 3000, quiet: 10_000 };

/** What the agent remembers: go back to an earlier state, take everything along, or bring it from elsewhere. */
export function MemoryPanel(): ReactNode {
  const text = useText();
  const { api } = useSession();
  const queries = useQueryClient();
  const { data, isError, refetch } = useQuery({
    queryKey: keys.memory, queryFn: api.memory, staleTime: 0,
    refetchInterval: ({ state }) => (state.data?.last?.status === "pending" ? POLL_MS.pending : POLL_MS.quiet),
  });
  const ask = useMutation({
    mutationFn: (asked: { kind: "export" } | { kind: "restore"; id: string }) =>
      asked.kind === "export" ? api.exportMemory() : api.restoreMemory(asked.id),
    onSuccess: (last: MemoryRequest) =>
      queries.setQueryData<MemoryReport>(keys.memory, (known) => known && { ...known, last }),
  });
  if (isError) {
    return (
      <div role="alert">
        <p>{text("memoryFailed")}</p>
        <button type="button" className="button" onClick={() => void refetch()}>{text("retry")}</button>
      </div>
    );
  }
  if (!data) return <p className="muted" role="status">{text("loading")}</p>;
  const busy = ask.isPending || data.last?.status === "pending";
  return (
    <>
      <Last last={data.last} />
      {ask.isError && <p className="form-error" role="alert">{ask.error.message}</p>}
      <section>
        <h3>{text("memoryMove")}</h3>
        <p className="muted">{text("memoryExportHint")}</p>
        <button type="button" className="button" data-testid="memory-export" disabled={busy} onClick={() => ask.mutate({ kind: "export" })}>{text("memoryExport")}</button>
        <MemoryImport disabled={busy} />
      </section>
      <section>
        <h3>{text("memoryPoints")}</h3>
        {data.points.length === 0 && <p className="muted" data-testid="memory-none">{text("memoryNone")}</p>}
        <ul className="automations">
          {data.points.map((point) => (
            <Point key={point.id} point={point} disabled={busy} onRestore={() => ask.mutate({ kind: "restore", id: point.id })} />
          ))}
        </ul>
      </section>
    </>
  );
}

/** What was asked for last, and how it ended. */
function Last({ last }: { last: MemoryRequest | null }): ReactNode {
  const text = useText();
  if (!last) return null;
  const kind = text(({ restore: "memoryRestore", export: "memoryExport", import: "memoryImport" } as const)[last.kind]);
  if (last.status === "pending") return <p className="note" role="status" data-testid="memory-pending">{text("memoryPending", { kind })}</p>;
  if (last.status === "failed") {
    return <p className="form-error" role="alert" data-testid="memory-ended">{text("memoryEnded", { kind, message: last.message })}</p>;
  }
  return (
    <p className="note" role="status" data-testid="memory-ended">
      {text("memoryDone", { kind })}{" "}
      {last.downloadUrl && <a href={last.downloadUrl} data-testid="memory-download">{text("memoryDownload")}</a>}
    </p>
  );
}

function Point({ point, disabled, onRestore }: { point: RestorePoint; disabled: boolean; onRestore(): void }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const [asking, setAsking] = useState(false);
  const time = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" }).format(point.createdAt);
  const reason = REASONS[point.reason];
  return (
    <li data-testid="memory-point">
      <strong>{time}</strong>
      <p className="muted">
        {sizeText(point.bytes, language)} · {text("memoryFiles", { count: String(point.files) })}
        {reason && <> · {text(reason)}</>}
        {point.unrestful && <> · {text("memoryUnrestful")}</>}
      </p>
      <button type="button" className="button" data-testid="memory-restore" disabled={disabled} onClick={() => setAsking(true)}>{text("memoryRestore")}</button>
      {asking && (
        <Confirm
          title={text("memoryRestore")} body={text("memoryRestoreConfirm", { time })} action={text("memoryRestore")}
          onClose={() => setAsking(false)} onConfirm={() => { setAsking(false); onRestore(); }}
        />
      )}
    </li>
  );
}
