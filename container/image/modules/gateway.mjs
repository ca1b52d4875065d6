// One real OpenClaw on an empty home: started, asked one question, stopped.
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const TOKEN = "build";
const SECONDS = 180;

function chunk(delta, finish = null) {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  const body = { id: "build", object: "chat.completion.chunk", created: 0, model: "build", choices };
  return `data: ${JSON.stringify(body)}\n\n`;
}

/** A model on loopback that always says "hello". */
function model() {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.end(chunk({ role: "assistant", content: "hello" }) + chunk({}, "stop") + "data: [DONE]\n\n");
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/** As the Bridge configures it (container/bridge/openclaw/config.py): what is on decides what is loaded. */
function configuration(port, modelPort, plugins) {
  const free = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  const only = { id: "build", name: "build", reasoning: false, input: ["text", "image"], cost: free };
  const provider = {
    baseUrl: `http://127.0.0.1:${modelPort}/v1`,
    headers: { "x-proxy-token": "none" },
    api: "openai-completions",
    models: [{ ...only, contextWindow: 128000, maxTokens: 8192 }],
  };
  return {
    gateway: { mode: "local", port, bind: "loopback", auth: { mode: "token" }, controlUi: { enabled: false } },
    plugins,
    cron: { enabled: true },
    discovery: { mdns: { mode: "off" } },
    update: { checkOnStart: false },
    agents: { defaults: { model: { primary: "custom/build" }, utilityModel: "", heartbeat: { every: "0m" } } },
    models: { mode: "merge", providers: { custom: provider } },
  };
}

function freePort() {
  const server = createServer();
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    }),
  );
}

function ask(port) {
  const scopes = ["operator.read", "operator.write", "operator.admin"];
  const client = { id: "gateway-client", version: "1.0.0", platform: "linux", mode: "backend" };
  const introduction = { minProtocol: 3, maxProtocol: 4, client, role: "operator", scopes, auth: { token: TOKEN } };
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    const send = (id, method, params) => socket.send(JSON.stringify({ type: "req", id, method, params }));
    socket.onerror = () => reject(new Error("not there yet"));
    socket.onclose = () => reject(new Error("not there yet"));
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.event === "connect.challenge") send("hello", "connect", introduction);
      else if (frame.id === "hello" && !frame.ok) socket.close();
      else if (frame.id === "hello") send("turn", "chat.send", { sessionKey: "main", message: "hello", idempotencyKey: "turn" });
      else if (frame.event === "chat" && ["final", "error", "aborted"].includes(frame.payload?.state)) {
        resolve(frame.payload.state);
        socket.close();
      }
    };
  });
}

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Start it with Node's `options`, ask, stop it. Throws when it does not answer. */
export async function run(entry, home, options, environment, plugins) {
  const [server, port] = [await model(), await freePort()];
  const state = join(home, ".openclaw");
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, "openclaw.json"), JSON.stringify(configuration(port, server.address().port, plugins)));
  const command = [...options, entry, "gateway", "run", "--bind", "loopback", "--port", `${port}`, "--auth", "token"];
  const more = { OPENCLAW_STATE_DIR: state, OPENCLAW_GATEWAY_TOKEN: TOKEN, MODEL_PROXY_TOKEN: "none" };
  const child = spawn(process.execPath, command, { cwd: home, env: { ...environment, ...more }, stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const deadline = Date.now() + SECONDS * 1000;
  let state_ = "";
  while (!state_ && child.exitCode === null && Date.now() < deadline) {
    state_ = await ask(port).catch(() => "");
    if (!state_) await pause(0.3);
  }
  await pause(3); // what it loads behind the answer
  child.kill("SIGTERM");
  await ended;
  server.close();
  if (state_ !== "final") throw new Error(`OpenClaw's first turn ended with "${state_}"`);
}
