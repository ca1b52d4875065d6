/** Character maps for Chinese, Japanese and Korean fonts, as data addresses. */
const MAPS = import.meta.glob<string>("../../../node_modules/pdfjs-dist/cmaps/*.bcmap", { eager: true, query: "?inline", import: "default" });

export const cmap = (name: string): string | undefined => MAPS[`../../../node_modules/pdfjs-dist/cmaps/${name}`];
