// The built app with a pretend backend, on one origin: `node dev/server.mjs [port]`.
// For looking at the app by itself; the real thing is `make run`.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { Agent } from "./agent.mjs";
import { cognito } from "./cognito.mjs";
import { accept } from "./websocket.mjs";

const port = Number(process.argv[2] ?? 8123);
const origin = `127.0.0.1:${port}`;
const dist = new URL("../dist/", import.meta.url).pathname;
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png", ".webmanifest": "application/manifest+json", ".json": "application/json" };
const agent = new Agent({ phaseMs: Number(process.env.PHASE_MS ?? 900) });
const tickets = new Set();
let linked = false;
let settings = { model: null, models: [{ id: "demo/parrot", name: "Demo model" }, { id: "anthropic/claude", name: "Claude" }], idleTimeoutMinutes: null, timeZone: "UTC", timeZoneFrom: null, retentionDays: null, budgetUsd: null, autoTitle: true, pushText: true, heartbeatMinutes: null, heartbeatHours: "08:00-22:00", heartbeatPrices: { 30: 33.4, 60: 16.7, 120: 8.35, 240: 4.18, 480: 2.09 }, prewarmBudget: null };

const config = {
  apiUrl: `http://${origin}/api`, websocketUrl: `ws://${origin}/ws`, region: "us-east-1",
  userPoolId: "us-east-1_example", userPoolClientId: "exampleclientid", cognitoEndpoint: `http://${origin}/cognito/`,
  selfSignUp: true, telegramBot: "example_bot", notice: process.env.NOTICE ?? null,
};

function seed() {
  const day = 86_400_000;
  const titles = ["Trip to Jeju in spring", "부엌 선반 만들기", "Spot interruptions, explained", "Reading list"];
  titles.forEach((title, index) => {
    const id = `c-seed${index}`;
    const rows = agent.rows(id);
    for (let i = 0; i < (index === 0 ? 60 : 1); i += 1) {
      const at = Date.now() - day * index * 2 - (100 - i) * 60_000;
      rows.push({ messageId: `m-seed-${index}-${i}`, role: "user", content: `Question ${i + 1} about ${title}`, conversationId: id, createdAt: at });
      rows.push({ messageId: `m-seed-${index}-${i}.answer`, role: "assistant", content: `Answer ${i + 1}, **saved** earlier.`, conversationId: id, createdAt: at + 5000, replyTo: `m-seed-${index}-${i}`, reason: "final" });
    }
    agent.titles.set(id, title);
  });
}
seed();

const routes = {
  "GET /status": () => ({ ...agent.status, telegramLinked: linked, cost: { month: "2026-11", usd: Number(process.env.USD ?? 0.84), complete: false, limitUsd: settings.budgetUsd ?? 5 }, early: { starts: 20, ready: 14, usd: 0.12, budgetUsd: settings.prewarmBudget ?? 0.3 } }),
  "POST /stop-agent": () => { setTimeout(() => agent.setStatus({ status: "Idle" }), 1200); agent.setStatus({ status: "Stopping" }); return [202, {}]; },
  "GET /conversations": () => ({ conversations: agent.list() }),
  "POST /ws-ticket": () => { const ticket = crypto.randomUUID(); tickets.add(ticket); return { ticket, expiresInSeconds: 30 }; },
  "POST /messages": (body) => [202, agent.accept(body)],
  "GET /push": () => ({ devices: [] }),
  "GET /settings": () => settings,
  "PUT /settings": ({ browserTimeZone, ...body }) => {
    const offered = browserTimeZone && !settings.timeZoneFrom ? { timeZone: browserTimeZone, timeZoneFrom: "browser" } : {};
    return (settings = { ...settings, ...offered, ...(body.timeZone ? { timeZoneFrom: "user" } : {}), ...body });
  },
  "POST /link/generate-otp": () => {
    const code = String(Math.floor(100000 + Math.random() * 900000));
    return { code, expiresAt: Date.now() + 300_000, deepLink: `https://t.me/example_bot?start=${crypto.randomUUID()}` };
  },
  "GET /link/status": () => (linked ? { linked, telegramName: "Ada" } : { linked }),
  "POST /link/unlink": () => { linked = false; return { linked }; },
  // Only here: what the bot would do.
  "POST /dev/link": () => { linked = true; agent.broadcast({ type: "link", status: "linked", telegramName: "Ada" }); return {}; },
  "POST /dev/drop": () => { for (const socket of agent.sockets) socket.close(); return {}; },
};

function conversationRoute(method, path, query, body) {
  const match = /^\/conversations\/([\w-]+)$/.exec(path);
  if (!match) return null;
  const [, id] = match;
  if (method === "GET") return agent.page(id, query.get("before"), Number(query.get("limit") ?? 30));
  const tell = (deleted) => agent.broadcast({ type: "conversation", conversationId: id, title: agent.titles.get(id) ?? "", updatedAt: Date.now(), ...agent.chosen.get(id), ...(deleted ? { deleted } : {}) });
  if (method === "PUT") { agent.change(id, body); tell(false); return agent.list().find((one) => one.conversationId === id) ?? {}; }
  if (method === "DELETE") { agent.conversations.delete(id); tell(true); return [204, null]; }
  return null;
}

async function read(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return parts.length ? JSON.parse(Buffer.concat(parts)) : {};
}

function reply(response, status, body) {
  response.writeHead(status, { "content-type": "application/json" }).end(body === null ? undefined : JSON.stringify(body));
}

async function serveFile(pathname, response) {
  const path = normalize(extname(pathname) ? pathname : "/index.html");
  try {
    const data = await readFile(join(dist, path));
    response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" }).end(data);
  } catch {
    response.writeHead(404).end();
  }
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, `http://${origin}`);
  if (url.pathname === "/config.json") return reply(response, 200, config);
  if (url.pathname === "/cognito/") {
    const { status, body } = cognito(request.headers["x-amz-target"], await read(request));
    return reply(response, status, body);
  }
  if (!url.pathname.startsWith("/api/")) return serveFile(url.pathname, response);
  const path = url.pathname.slice(4);
  const body = await read(request);
  const result = routes[`${request.method} ${path}`]?.(body) ?? conversationRoute(request.method, path, url.searchParams, body);
  if (result === null || result === undefined) return reply(response, 404, { code: "NOT_FOUND", message: "Not found" });
  return Array.isArray(result) ? reply(response, ...result) : reply(response, 200, result);
});

server.on("upgrade", (request, socket) => {
  const url = new URL(request.url, `http://${origin}`);
  if (!tickets.delete(url.searchParams.get("ticket"))) return socket.end("HTTP/1.1 401 Unauthorized\r\n\r\n");
  const connection = accept(request, socket);
  agent.sockets.add(connection);
  connection.on("close", () => agent.sockets.delete(connection));
  connection.on("message", (text) => agent.onMessage(connection, JSON.parse(text)));
});

server.listen(port, "127.0.0.1", () => console.log(`http://${origin}`));
