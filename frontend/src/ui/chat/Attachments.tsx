import type { ReactNode } from "react";
import { useLanguage, useText } from "../../i18n";
import type { Attachment } from "../../protocol/frames";
import { CloseIcon, FileIcon, ImageIcon, MicIcon } from "../Icons";
import { sizeText } from "../sizeText";
import { Picture } from "../Picture";
import type { Reading } from "./drafts";

interface Props {
  attachments: readonly Attachment[];
  /** Files on their way into the message. */
  reading?: readonly Reading[];
  onRemove?(attachment: Attachment): void;
  onCancel?(reading: Reading): void;
}

/** Attached pictures and files; a picture of an earlier visit is known by its name only. */
export function Attachments({ attachments, reading = [], onRemove, onCancel }: Props): ReactNode {
  const text = useText();
  return (
    <ul className="attachments">
      {attachments.map((attachment, index) => (
        <li key={index}>
          {attachment.content
            ? <Picture src={`data:${attachment.mimeType};base64,${attachment.content}`} alt={text("imageAlt", { name: attachment.fileName })} />
            : <Named {...attachment} />}
          {attachment.transcript && <p className="transcript" dir="auto" data-testid="transcript">{attachment.transcript}</p>}
          {onRemove && <Remove name={attachment.fileName} onRemove={() => onRemove(attachment)} />}
        </li>
      ))}
      {reading.map((one, index) => (
        <li key={`reading-${index}`}>
          <Named mimeType={one.file.type} fileName={one.file.name} bytes={one.file.size} />
          <progress aria-label={text("uploading", { name: one.file.name })} value={one.share} max={1} />
          {onCancel && <Remove name={one.file.name} onRemove={() => onCancel(one)} />}
        </li>
      ))}
    </ul>
  );
}

function Named({ mimeType, fileName, bytes }: Attachment): ReactNode {
  const language = useLanguage();
  return (
    <span className="file-name" data-testid="file">
      {mimeType.startsWith("image/") ? <ImageIcon /> : mimeType.startsWith("audio/") ? <MicIcon /> : <FileIcon />}
      <bdi>{fileName}</bdi>
      {bytes !== undefined && <small>{sizeText(bytes, language)}</small>}
    </span>
  );
}

function Remove({ name, onRemove }: { name: string; onRemove(): void }): ReactNode {
  const text = useText();
  return (
    <button type="button" className="icon-button small attachment-remove" onClick={onRemove} aria-label={text("removeFile", { name })}>
      <CloseIcon />
    </button>
  );
}
