// Records what OpenClaw loads in a real start and first turn: `node record.mjs ENTRY FOLDER PATH PLUGINS`.
//
// Prints the list for the Bridge's loader (container/bridge/openclaw/loader.mjs). FOLDER is for scratch files, PATH
// is as the Bridge gives it to OpenClaw, PLUGINS its configuration of plugins. Fails if a module keeps
// something from the environment that it would not have in a process that loads first and starts later.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./gateway.mjs";

const [given, folder, path, plugins] = process.argv.slice(2);
const entry = realpathSync(given);
const beside = (name) => fileURLToPath(new URL(name, import.meta.url));
const home = join(folder, "home");
const watch = ["--import", beside("./watch.mjs")];
const environment = {
  PATH: path,
  HOME: home,
  LANG: "C.UTF-8",
  OPENCLAW_NO_RESPAWN: "1",
  OPENCLAW_SKIP_CHANNELS: "1",
  OPENCLAW_DISABLE_BONJOUR: "1",
  OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED: "1",
  NO_COLOR: "1",
  // The modules of a turn get into it too.
  ...(process.env.NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }),
};
// The program itself, not a module.
const STARTS = new Set(["openclaw/openclaw.mjs", "openclaw/dist/entry.js"]);
// It is below HOME, where they look without it too. "*": all names, to look for some that are not given anyway.
const SAME = new Set(["OPENCLAW_STATE_DIR", "*"]);
const read = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));

async function realStart() {
  await run(entry, home, watch, { ...environment, WATCH_OUT: join(folder, "start.json") }, JSON.parse(plugins));
  return read("start.json");
}

function loadedBefore(modules) {
  const list = join(folder, "modules.json");
  writeFileSync(list, JSON.stringify(modules));
  const env = { ...environment, HOME: join(folder, "empty"), WATCH_OUT: join(folder, "load.json") };
  mkdirSync(env.HOME);
  const options = { cwd: env.HOME, env, maxBuffer: 64 * 1024 * 1024 };
  const roots = JSON.parse(execFileSync(process.execPath, [...watch, beside("./roots.mjs"), entry, list], options));
  return { roots, read: read("load.json").read };
}

/** The PATH that modules keep in a real start; throws if they keep anything else that differs. */
function orderedPath(start, load) {
  let ordered = path;
  for (const [where, value] of Object.entries(load.read)) {
    const name = where.split(" ").at(-1);
    const theirs = start.read[where];
    const same = value === theirs || value === theirs?.replaceAll(home, join(folder, "empty"));
    if (theirs === undefined || same || SAME.has(name)) continue;
    if (name !== "PATH") throw new Error(`${where} is ${value}, and in a real start ${theirs}`);
    ordered = theirs;
  }
  return ordered;
}

const start = await realStart();
const usable = ["module", "commonjs", "json", null, undefined];
const modules = start.modules.filter(([name, format]) => !STARTS.has(name) && usable.includes(format));
const load = loadedBefore(modules);
const version = JSON.parse(readFileSync(new URL("./package.json", `file://${entry}`), "utf8")).version;
const resolver = modules.map(([name]) => name).find((name) => name.includes("/entry.esm-resolve-fast-path"));
if (!resolver) throw new Error("OpenClaw has no entry.esm-resolve-fast-path any more: look at its dist/entry.js");
const list = {
  openclaw: version,
  node: process.versions.node,
  path: { given: path, ordered: orderedPath(start, load) },
  resolver,
  count: modules.length,
  modules: load.roots,
};
process.stdout.write(JSON.stringify(list, null, 1) + "\n", () => process.exit(0));
