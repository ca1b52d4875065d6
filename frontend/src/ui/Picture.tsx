import { useState, type ReactNode } from "react";
import { useText } from "../i18n";
import { CloseIcon } from "./Icons";
import { Modal } from "./Modal";

interface Props { src: string; alt: string; className?: string }

/** A picture that fills the window when it is pressed. */
export function Picture({ src, alt, className }: Props): ReactNode {
  const text = useText();
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="picture" data-testid="picture" aria-label={text("enlarge", { name: alt })} onClick={() => setOpen(true)}>
        <img className={className} src={src} alt={alt} loading="lazy" referrerPolicy="no-referrer" />
      </button>
      {open && (
        <Modal label={alt || text("picture")} className="lightbox" testId="lightbox" onClose={() => setOpen(false)}>
          <button type="button" className="icon-button" aria-label={text("close")} autoFocus onClick={() => setOpen(false)}><CloseIcon /></button>
          <img src={src} alt={alt} referrerPolicy="no-referrer" />
        </Modal>
      )}
    </>
  );
}
