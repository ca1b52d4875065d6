// Random numbers of a process that is copied after it has loaded: a MicroVM starts from a snapshot of its memory, and
// so do its siblings. Without this they would go on with the same numbers: Node keeps the next 128 UUIDs and some
// random bytes ready, and OpenSSL's generator goes on where it was. The kernel's knows of a copy.
//
// Imported before anything else is loaded. From then on crypto's random functions and Math.random ask the kernel.
// What OpenClaw's modules draw when they are loaded (ids of the process, secrets of its tickets) is drawn again by
// `anew()`, which is called once, when the copy gets its owner. Not reached: keys that OpenSSL makes by itself.
import crypto from "node:crypto";
import { openSync, readSync } from "node:fs";
import { registerHooks, syncBuiltinESMExports } from "node:module";

const kernel = openSync("/dev/urandom", "r");
const POOL = 4096;
const pool = Buffer.alloc(POOL);
let left = 0; // in the pool, which is for Math.random only

function fill(bytes) {
  for (let done = 0; done < bytes.length; ) done += readSync(kernel, bytes, done, bytes.length - done, null);
  return bytes;
}

/** The bytes that `randomFill(target, offset, size)` means; offset and size count the target's elements. */
function region(target, offset = 0, size = undefined) {
  const unit = target.BYTES_PER_ELEMENT ?? 1;
  const [buffer, start] = ArrayBuffer.isView(target) ? [target.buffer, target.byteOffset] : [target, 0];
  const length = size === undefined ? target.byteLength - offset * unit : size * unit;
  return new Uint8Array(buffer, start + offset * unit, length);
}

function random48() {
  return fill(Buffer.alloc(6)).readUIntBE(0, 6);
}

const own = { ...crypto };
const checked = own.webcrypto.getRandomValues.bind(own.webcrypto);
const SPAN = 2 ** 48;

function randomBytes(size, callback) {
  if (callback === undefined) return fill(own.randomBytes(size));
  return own.randomBytes(size, (error, bytes) => callback(error, bytes && fill(bytes)));
}

function randomFillSync(target, offset, size) {
  own.randomFillSync(target, offset, size); // looks at its arguments
  fill(region(target, offset, size));
  return target;
}

function randomFill(target, ...rest) {
  const [callback] = rest.splice(-1);
  if (typeof callback !== "function") return own.randomFill(target, ...rest, callback);
  return own.randomFill(target, ...rest, (error) => {
    if (!error) fill(region(target, ...rest));
    callback(error, error ? undefined : target);
  });
}

function randomInt(...given) {
  const callback = typeof given.at(-1) === "function" ? given.pop() : undefined;
  own.randomInt(...given); // looks at its arguments
  const [min, max] = given.length < 2 ? [0, given[0]] : given;
  const range = max - min;
  let drawn = random48();
  while (drawn >= SPAN - (SPAN % range)) drawn = random48();
  const value = min + (drawn % range);
  if (callback === undefined) return value;
  process.nextTick(callback, undefined, value);
}

function randomUUID(options) {
  own.randomUUID(options); // looks at its arguments
  const bytes = fill(Buffer.alloc(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const text = bytes.toString("hex");
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
}

function getRandomValues(target) {
  checked(target); // looks at its arguments
  fill(region(target));
  return target;
}

/** Its first 48 bits are the time. */
function randomUUIDv7(options) {
  return own.randomUUIDv7(options).slice(0, 13) + "-7" + randomUUID().slice(15);
}

function put(place, functions) {
  for (const [name, value] of Object.entries(functions)) {
    const { enumerable } = Object.getOwnPropertyDescriptor(place, name);
    Object.defineProperty(place, name, { value, configurable: true, enumerable, writable: true });
  }
}

put(crypto, { randomBytes, randomFillSync, randomFill, randomInt, randomUUID, randomUUIDv7 });
for (const name of ["prng", "rng", "pseudoRandomBytes"]) if (name in crypto) put(crypto, { [name]: randomBytes });
put(Object.getPrototypeOf(own.webcrypto), { randomUUID, getRandomValues }); // crypto.getRandomValues calls this one
syncBuiltinESMExports();

Math.random = function random() {
  if (left < 8) left = fill(pool).length;
  left -= 8;
  // 53 bits, as many as a number has.
  return (pool.readUInt32LE(left) * 2 ** 21 + (pool.readUInt32LE(left + 4) >>> 11)) / 2 ** 53;
};

// A module's own variable that is given a random value when it is loaded: one statement without a function in it.
const REST = String.raw`(?:(?!;$|=>|\bfunction\b|\bclass\b)[\s\S])*?`;
const DRAW = String.raw`\b(?:randomUUID|randomBytes)\(`;
const DRAWN = new RegExp(String.raw`^(export )?(?:const|let|var) ([\w$]+) = (${REST}${DRAW}${REST});$`, "gm");
const again = [];
globalThis[Symbol.for("bridge.drawn-again")] = (draw) => again.push(draw);

function redrawn(source) {
  const call = 'globalThis[Symbol.for("bridge.drawn-again")]';
  return source.replace(DRAWN, (_, exported = "", name, value) => {
    return `${exported}let ${name} = ${value}; ${call}(() => { ${name} = ${value}; });`;
  });
}

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (loaded.format !== "module" || !/\/openclaw\/dist\/[^/]+\.js$/.test(url)) return loaded;
    const source = Buffer.from(loaded.source ?? "");
    if (!source.includes("randomUUID(") && !source.includes("randomBytes(")) return loaded;
    return { ...loaded, source: redrawn(source.toString()) };
  },
});

/** What modules share by a symbol: the generation of the process's runs, and keys that others hold parts of. */
function shared() {
  const [runs, sentinel] = ["agentRunRegistry.state", "secretSentinel.keys"].map((name) => {
    return globalThis[Symbol.for(`openclaw.${name}`)];
  });
  if (runs) runs.lifecycleGeneration = randomUUID();
  if (sentinel) fill(sentinel.keys);
}

/** The copy has an owner: nothing that was drawn before is used again. The number of variables drawn again. */
export function anew() {
  left = 0;
  for (const draw of again) draw();
  shared();
  return again.length;
}
