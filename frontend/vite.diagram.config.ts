import { defineConfig } from "vite";

/** The page that draws diagrams, with files of its own: they are served under another policy than the app's. */
export default defineConfig({
  root: "src/diagram",
  base: "/diagram/",
  publicDir: false,
  build: {
    outDir: "../../dist/diagram",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2_000,
  },
});
