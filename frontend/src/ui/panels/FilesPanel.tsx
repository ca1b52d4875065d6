import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import type { WorkspaceEntry } from "../../api";
import { useLanguage, useText } from "../../i18n";
import { FileIcon, FolderIcon } from "../Icons";
import { useSession } from "../context";
import { keys } from "../queries";
import { saveFile } from "../saveFile";
import { sizeText } from "../sizeText";

// Each save is told, but a tab that was offline has missed it.
const POLL_MS = 60_000;

/** The agent's workspace as it was saved last; it can be read while the agent sleeps. */
export function FilesPanel(): ReactNode {
  const text = useText();
  const language = useLanguage();
  const { api } = useSession();
  const [folder, setFolder] = useState<string>();
  const { data, isError, error, refetch } = useQuery({
    queryKey: [...keys.workspace, folder ?? ""], queryFn: () => api.workspace(folder), staleTime: 0, refetchInterval: POLL_MS,
  });
  if (isError) {
    return (
      <div role="alert">
        <p>{text("filesFailed", { message: error.message })}</p>
        <button type="button" className="button" onClick={() => { setFolder(undefined); void refetch(); }}>{text("retry")}</button>
      </div>
    );
  }
  if (!data) return <p className="muted" role="status">{text("loading")}</p>;
  const saved = data.savedAt === null ? null
    : new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(data.savedAt);
  return (
    <>
      <p className="muted">{saved === null ? text("filesNever") : text("filesSaved", { time: saved })}</p>
      {data.path.length > 1 && (
        <nav aria-label={text("filesPath")} className="file-path">
          {data.path.map(({ id, name }, index) => (
            <button
              key={id} type="button" className="link" aria-current={index === data.path.length - 1 ? "page" : undefined}
              onClick={() => setFolder(index === 0 ? undefined : id)}
            >
              <bdi>{index === 0 ? text("filesTop") : name}</bdi>
            </button>
          ))}
        </nav>
      )}
      {data.entries.length === 0 && saved !== null && <p className="muted" data-testid="files-none">{text("filesNone")}</p>}
      <ul className="workspace">
        {data.entries.map((entry) => <Row key={entry.id} entry={entry} onOpen={() => setFolder(entry.id)} />)}
      </ul>
      {data.truncated && <p className="muted" role="status">{text("filesTruncated", { count: String(data.entries.length) })}</p>}
    </>
  );
}

function Row({ entry, onOpen }: { entry: WorkspaceEntry; onOpen(): void }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const { api } = useSession();
  const save = useMutation({ mutationFn: () => api.workspaceFile(entry.id), onSuccess: ({ url }) => saveFile(url) });
  const folder = entry.kind === "folder";
  const about = entry.kind === "link" ? text("filesLink") : folder ? "" : sizeText(entry.sizeBytes ?? 0, language);
  return (
    <li data-testid="workspace-entry" data-kind={entry.kind}>
      <button
        type="button" className="workspace-row" disabled={entry.kind === "link" || save.isPending}
        onClick={folder ? onOpen : () => save.mutate()}
      >
        {folder ? <FolderIcon /> : <FileIcon />}
        <bdi className="file-name" title={entry.name}>{entry.name}</bdi>
        <small className="muted">{save.isPending ? text("loading") : about}</small>
      </button>
      {save.isError && <p className="form-error" role="alert">{text("fileFailed", { message: save.error.message })}</p>}
    </li>
  );
}
