import { lazy, Suspense, useState, type ReactNode } from "react";
import { useText } from "../../i18n";
import type { GivenFile } from "../../protocol/frames";
import { ErrorBoundary } from "../ErrorBoundary";
import { EyeIcon } from "../Icons";

const PdfPreview = lazy(() => import("./PdfPreview").then((module) => ({ default: module.PdfPreview })));

/** Opens the preview of a PDF; nothing of it is loaded before. */
export function PdfButton({ file }: { file: GivenFile }): ReactNode {
  const text = useText();
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  return (
    <>
      <button
        type="button" className="icon-button" data-testid="file-preview" aria-haspopup="dialog" title={text("pdfPreview")}
        aria-label={text("filePreview", { name: file.name })} onClick={() => setOpen(true)}
      >
        <EyeIcon />
      </button>
      {open && <ErrorBoundary onClose={close}><Suspense><PdfPreview file={file} onClose={close} /></Suspense></ErrorBoundary>}
    </>
  );
}
