import type { GivenFile } from "../../protocol/frames";

/** Bytes. A larger PDF is not fetched to be shown. */
export const MAX_PDF_BYTES = 20_000_000;
/** Pages beyond these are not drawn. */
export const MAX_PDF_PAGES = 200;

type Facts = Pick<GivenFile, "mimeType" | "sizeBytes">;

/** Whether a file has a preview that is drawn when somebody asks for it: "large" is a PDF above the limit. */
export function pdfPreview({ mimeType, sizeBytes }: Facts): "yes" | "no" | "large" {
  if (mimeType !== "application/pdf" || sizeBytes === 0) return "no";
  return sizeBytes <= MAX_PDF_BYTES ? "yes" : "large";
}
