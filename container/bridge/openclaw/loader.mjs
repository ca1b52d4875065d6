// Loads OpenClaw's modules, touches no state, and waits: `node loader.mjs LIST ENTRY DESCRIPTOR [copied]`.
//
// The Bridge holds the other end of the descriptor, a socket. This process writes "loaded" to it when everything
// is loaded, and then reads one line of JSON: what its environment lacks, and the arguments. After that it is the
// gateway: the same process, with the environment, arguments and descriptors of an ordinary start.
// `copied`: a MicroVM is a copy of this process, and must not share its random numbers with others (unique.mjs).
// It ends with status 3 if the list does not fit, and with 0 if the Bridge closes the socket.
import { closeSync, readFileSync, readSync, realpathSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const [listFile, entry, descriptor, copied] = process.argv.slice(2);
const socket = Number(descriptor);
const root = new URL("../", pathToFileURL(realpathSync(entry))); // node_modules

function refuse(reason) {
  writeSync(socket, JSON.stringify({ refused: reason }) + "\n");
  process.exit(3);
}

function readList() {
  try {
    return JSON.parse(readFileSync(listFile, "utf8"));
  } catch (error) {
    return refuse(error.code === "ENOENT" ? "no list" : "bad list");
  }
}

async function load(list) {
  const { version } = JSON.parse(readFileSync(new URL("./openclaw/package.json", root), "utf8"));
  if (list.openclaw !== version || list.node !== process.versions.node) refuse("another version");
  if (process.env.PATH !== list.path.given) refuse("another path");
  const require = createRequire(entry);
  // Without it, each import of OpenClaw's reads its package.json again: 5 s and 1 GB instead of 2 s and 0.5 GB.
  const fast = await import(new URL(list.resolver, root));
  for (const value of Object.values(fast)) {
    if (value.name === "installDistEsmResolveFastPath") value(new URL("./openclaw/dist/entry.js", root).href);
  }
  // A module keeps the PATH of when it was loaded. In an ordinary start OpenClaw has put it in order by then.
  process.env.PATH = list.path.ordered;
  for (const [name, format] of list.modules) {
    const url = new URL(name, root);
    if (format === "module") await import(url);
    else require(fileURLToPath(url));
  }
  process.env.PATH = list.path.given;
}

function readStart() {
  const buffer = Buffer.alloc(65536);
  let text = "";
  while (!text.endsWith("\n")) {
    const count = readSync(socket, buffer); // blocks: nothing else may run meanwhile
    if (count === 0) process.exit(0);
    text += buffer.toString("utf8", 0, count);
  }
  return JSON.parse(text);
}

let unique;
try {
  if (copied) unique = await import(new URL("./unique.mjs", import.meta.url));
  await load(readList());
} catch (error) {
  refuse(`${error.name} ${error.code ?? ""}`);
}
writeSync(socket, '{"loaded": true}\n');
const start = readStart();
closeSync(socket);
unique?.anew();
Object.assign(process.env, start.environment);
process.argv.splice(1, Infinity, entry, ...start.arguments);
await import(pathToFileURL(entry));
