import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useLanguage, useText } from "../../i18n";
import type { GivenFile } from "../../protocol/frames";
import { DownIcon, FileIcon } from "../Icons";
import { useSession } from "../context";
import { fileLink } from "../queries";
import { saveFile } from "../saveFile";
import { sizeText } from "../sizeText";
import { PdfButton } from "./PdfButton";
import { pdfPreview } from "./pdf";

/** Larger pictures are not fetched before somebody asks for them. */
const PREVIEW_BYTES = 15_000_000;
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

type Kind = "picture" | "audio" | "video" | "other";

function kindOf({ mimeType, sizeBytes }: GivenFile): Kind {
  if (sizeBytes === 0) return "other";
  if (PICTURES.has(mimeType)) return sizeBytes <= PREVIEW_BYTES ? "picture" : "other";
  if (mimeType.startsWith("audio/")) return "audio";
  return mimeType.startsWith("video/") ? "video" : "other";
}

/** What the agent gives with an answer: to look at or listen to here, and to save. */
export function Files({ files }: { files: readonly GivenFile[] }): ReactNode {
  const text = useText();
  return (
    <ul className="files" aria-label={text("files")}>
      {files.map((file) => <li key={file.id} data-testid="file"><Card file={file} /></li>)}
    </ul>
  );
}

function Card({ file }: { file: GivenFile }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const { api } = useSession();
  const save = useMutation({ mutationFn: () => api.file(file.id), onSuccess: ({ url }) => saveFile(url) });
  const kind = kindOf(file);
  const preview = pdfPreview(file);
  const type = file.name.includes(".") ? file.name.slice(file.name.lastIndexOf(".") + 1).slice(0, 8).toUpperCase() : "";
  return (
    <>
      {kind !== "other" && <Preview file={file} kind={kind} />}
      <div className="file-line">
        <FileIcon />
        <span className="file-name">
          <bdi title={file.name}>{file.name}</bdi>
          <small className="muted">{type && `${type} · `}{sizeText(file.sizeBytes, language)}{preview === "large" && ` · ${text("pdfTooLarge")}`}</small>
        </span>
        {preview === "yes" && <PdfButton file={file} />}
        <button
          type="button" className="icon-button" data-testid="file-save" disabled={save.isPending}
          aria-label={text("fileSave", { name: file.name })} onClick={() => save.mutate()}
        >
          <DownIcon />
        </button>
      </div>
      {save.isError && <p className="form-error" role="alert">{text("fileFailed", { message: save.error.message })}</p>}
    </>
  );
}

function Preview({ file, kind }: { file: GivenFile; kind: Exclude<Kind, "other"> }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const [failed, setFailed] = useState<readonly string[]>([]);
  const { data, isError, refetch } = useQuery({
    ...fileLink(api, file.id), refetchOnWindowFocus: false, // a new address would start a player anew
  });
  /** An address that has run out is replaced once. */
  const onError = () => {
    if (!data || failed.includes(data.url)) return;
    if (failed.length === 0) void refetch();
    setFailed([...failed, data.url]);
  };
  if (isError || failed.length > 1) return <p className="muted" data-testid="file-no-preview">{text("fileNoPreview")}</p>;
  if (!data) return null;
  const shared = { src: data.url, onError, "data-testid": `file-${kind}` };
  if (kind === "picture") return <img {...shared} alt={text("filePicture", { name: file.name })} loading="lazy" referrerPolicy="no-referrer" />;
  const player = { ...shared, controls: true, preload: "metadata", "aria-label": file.name } as const;
  return kind === "audio" ? <audio {...player} /> : <video {...player} playsInline />;
}
