import type { ReactNode } from "react";
import { useText } from "../../i18n";
import type { Attachment } from "../../protocol/frames";
import { CloseIcon, ImageIcon } from "../Icons";
import { Picture } from "../Picture";

interface Props {
  images: readonly Attachment[];
  onRemove?(image: Attachment): void;
}

/** Attached images; one of an earlier visit is known by its name only. */
export function Images({ images, onRemove }: Props): ReactNode {
  const text = useText();
  return (
    <ul className="images">
      {images.map((image, index) => (
        <li key={index}>
          {image.content
            ? <Picture src={`data:${image.mimeType};base64,${image.content}`} alt={text("imageAlt", { name: image.fileName })} />
            : <span className="image-name"><ImageIcon />{image.fileName}</span>}
          {onRemove && (
            <button
              type="button" className="icon-button small image-remove" onClick={() => onRemove(image)}
              aria-label={text("removeImage", { name: image.fileName })}
            >
              <CloseIcon />
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
