// Prints what a first visit downloads, gzipped, and fails over the limit.
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT_KB = 200;
const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL("build-manifest.json", dist), "utf8"));

/** Chunks the page loads without being asked: the entry and its static imports. */
function initialChunks() {
  const seen = new Set();
  const visit = (key) => {
    if (seen.has(key)) return;
    seen.add(key);
    for (const next of manifest[key].imports ?? []) visit(next);
  };
  Object.keys(manifest).filter((key) => manifest[key].isEntry).forEach(visit);
  return new Set([...seen].map((key) => manifest[key].file));
}

const kilobytes = (path) => gzipSync(readFileSync(new URL(path, dist)), { level: 9 }).length / 1024;
const initial = initialChunks();
let total = 0;
for (const name of readdirSync(new URL("assets/", dist)).sort()) {
  if (!/\.(js|css)$/.test(name)) continue;
  const path = `assets/${name}`;
  const size = kilobytes(path);
  if (initial.has(path)) total += size;
  console.log(`${size.toFixed(1).padStart(7)} KB gzip  ${path}${initial.has(path) ? "  (initial)" : ""}`);
}
console.log(`${total.toFixed(1).padStart(7)} KB gzip  initial JavaScript, limit ${LIMIT_KB} KB`);
if (total > LIMIT_KB) {
  console.error(`The initial JavaScript is over ${LIMIT_KB} KB gzip: load something later.`);
  process.exit(1);
}
