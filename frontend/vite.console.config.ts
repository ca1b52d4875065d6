import { defineConfig } from "vite";

/** The script that stands before OpenClaw's Control UI; local/console.py and the deployment put the two together. */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: "dist/console",
    emptyOutDir: true,
    target: "es2022",
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    license: { fileName: "licences.md" },
    lib: { entry: "src/sandbox/console/shim.ts", name: "openclawFrame", formats: ["iife"], fileName: () => "shim.js" },
  },
});
