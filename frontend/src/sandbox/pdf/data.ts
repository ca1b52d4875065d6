/** The files of pdf.js that a PDF may need, as parts of the program: the frame has no network to fetch them. */
import dingbats from "pdfjs-dist/standard_fonts/FoxitDingbats.pfb?inline";
import symbols from "pdfjs-dist/standard_fonts/FoxitSymbol.pfb?inline";

const FONTS: Record<string, string> = { "FoxitDingbats.pfb": dingbats, "FoxitSymbol.pfb": symbols };

function bytesOf(url: string): Uint8Array {
  return Uint8Array.from(atob(url.slice(url.indexOf(",") + 1)), (character) => character.charCodeAt(0));
}

/** Found by the name that pdf.js asks for. Character maps are large, and only files without their own fonts need them. */
export class Included {
  async fetch({ filename }: { filename: string }): Promise<Uint8Array> {
    const found = FONTS[filename] ?? (await import("./cmaps")).cmap(filename);
    if (!found) throw new Error(`${filename} is not included`);
    return bytesOf(found);
  }
}
