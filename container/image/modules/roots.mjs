// Imports the modules of a list, and prints which of them are needed to load all: most come with another.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const [entry, listFile] = process.argv.slice(2);
const root = new URL("../", pathToFileURL(entry));
const require = createRequire(pathToFileURL(entry));
const roots = [];
for (const [name, format] of JSON.parse(readFileSync(listFile, "utf8"))) {
  if (globalThis.watched.has(name)) continue;
  const url = new URL(name, root);
  if (format === "module") await import(url);
  else require(fileURLToPath(url));
  roots.push([name, format]);
}
process.stdout.write(JSON.stringify(roots), () => process.exit(0));
