import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

/** Decoders of scanned pages. pdf.js loads them by name, so they are no part of its bundle. */
const decoders: Plugin = {
  name: "pdf-decoders",
  generateBundle() {
    for (const name of ["jbig2_nowasm_fallback.js", "openjpeg_nowasm_fallback.js"]) {
      const source = readFileSync(new URL(`node_modules/pdfjs-dist/wasm/${name}`, import.meta.url));
      this.emitFile({ type: "asset", fileName: `pdf/decoders/${name}`, source });
    }
  },
};

/** The pages that draw diagrams and PDFs, with files of their own: they are served under another policy than the app's. */
export default defineConfig({
  root: "src/sandbox",
  base: "/sandbox/",
  publicDir: false,
  plugins: [decoders],
  assetsInclude: ["**/*.bcmap", "**/*.pfb"],
  build: {
    outDir: "../../dist/sandbox",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2_500,
    license: { fileName: "licences.md" },
    rolldownOptions: { input: ["src/sandbox/diagram/index.html", "src/sandbox/pdf/index.html"] },
  },
});
