import { expect, it } from "vitest";
import { MAX_PDF_BYTES, pdfPreview } from "./pdf";

it("offers a preview of PDFs up to the limit, and of nothing else", () => {
  const pdf = "application/pdf";
  expect(pdfPreview({ mimeType: pdf, sizeBytes: 1 })).toBe("yes");
  expect(pdfPreview({ mimeType: pdf, sizeBytes: MAX_PDF_BYTES })).toBe("yes");
  expect(pdfPreview({ mimeType: pdf, sizeBytes: MAX_PDF_BYTES + 1 })).toBe("large");
  expect(pdfPreview({ mimeType: pdf, sizeBytes: 0 })).toBe("no");
  for (const mimeType of ["text/html", "image/png", "application/octet-stream", ""]) expect(pdfPreview({ mimeType, sizeBytes: 1 })).toBe("no");
});
