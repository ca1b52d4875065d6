// `node --import watch.mjs …` notes what a process loads, and what modules read from the environment meanwhile.
//
// When the process ends, the file WATCH_OUT has `modules`, in order: [place below node_modules, format], and
// `read`: by "place:line:column NAME" the value that the module got while it was loaded.
import { writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { isMainThread } from "node:worker_threads";

const out = process.env.WATCH_OUT;
delete process.env.WATCH_OUT;
const modules = new Map();
const read = new Map();
const real = process.env;
// A frame of a module's own code, in no function: it is being loaded.
const TOP = /^\s*at (?:Object\.<anonymous> \(|async )?(?:file:\/\/)?(\/[^()]*\/node_modules\/[^()]*:\d+:\d+)\)?$/;

export const below = (place) => place.replace(/^.*?\/node_modules\//, "");

export function note(name) {
  for (const line of new Error().stack.split("\n").slice(3)) {
    const found = TOP.exec(line);
    if (!found) continue;
    const key = `${below(found[1])} ${name}`;
    if (!read.has(key)) read.set(key, name === "*" ? Object.keys(real).sort().join(" ") : (real[name] ?? null));
    return;
  }
}

if (isMainThread) {
  Error.stackTraceLimit = 50;
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (url.startsWith("file:") && url.includes("/node_modules/")) modules.set(below(url), loaded.format);
      return loaded;
    },
  });
  process.env = new Proxy(real, {
    get(target, name) {
      if (typeof name === "string") note(name);
      return target[name];
    },
    has(target, name) {
      note(name);
      return name in target;
    },
    ownKeys(target) {
      note("*");
      return Reflect.ownKeys(target);
    },
    getOwnPropertyDescriptor: (target, name) => Reflect.getOwnPropertyDescriptor(target, name),
    set: (target, name, value) => Reflect.set(target, name, value),
    deleteProperty: (target, name) => Reflect.deleteProperty(target, name),
  });
  globalThis.watched = modules;
  process.on("exit", () =>
    writeFileSync(out, JSON.stringify({ modules: [...modules], read: Object.fromEntries(read) })),
  );
}
