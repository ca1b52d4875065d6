// The page's own sign-in code (frontend/src/auth/cognito.ts, with its Cognito library) without a browser:
// `node page.mjs CONFIG` answers each line {"call": name, "args": […]} with {"answer": …} or {"error": name}.
import { createInterface } from "node:readline";
import { registerHooks } from "node:module";

registerHooks({
  resolve(name, context, next) {
    try {
      return next(name, context);
    } catch (error) {
      if (name.startsWith(".")) return next(`${name}.ts`, context); // the bundler adds it for the page
      throw error;
    }
  },
});

const { signed, ...config } = JSON.parse(process.argv[2]);
const ask = globalThis.fetch;
// moto takes the region from a signature, which the calls of a person do not have (local/api.py adds it as well).
const scope = "AWS4-HMAC-SHA256 Credential=local/20200101/us-east-1/cognito-idp/aws4_request, SignedHeaders=, Signature=";
if (signed) {
  globalThis.fetch = (url, options) => ask(url, { ...options, headers: { ...options.headers, authorization: scope } });
}

/** Instead of the tab's sessionStorage. */
class Kept {
  constructor() { this.values = new Map(); }
  async getItem(key) { return this.values.get(key) ?? null; }
  async setItem(key, value) { this.values.set(key, value); }
  async removeItem(key) { this.values.delete(key); }
  async clear() { this.values.clear(); }
  entries() { return Object.fromEntries(this.values); }
}

const auth = await import("../../frontend/src/auth/cognito.ts");
const storage = new Kept();
auth.configureAuth(config, storage);
const calls = { ...auth, currentUser: () => auth.currentUser(storage), kept: () => storage.entries() };

for await (const line of createInterface({ input: process.stdin })) {
  const { call, args } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ answer: (await calls[call](...args)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.name, text: error.message }));
  }
}
