import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // Whatever the page's address is: the servers answer every path without a file name with index.html.
  base: "/",
  plugins: [react()],
  build: {
    target: "es2022",
    // Inlined assets would be data: URLs, which the style policy forbids.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    manifest: "build-manifest.json",
    // Whose code is in the bundle, with the notices that their licences ask for.
    license: { fileName: "licences.md" },
  },
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"] },
});
