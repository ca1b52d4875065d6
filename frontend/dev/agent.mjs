// A pretend agent that speaks docs/protocol.md: cold start, streaming, stop, resume, history.
import { answerFor } from "./answers.mjs";

const CHUNK_MS = 60;
const PHASES = ["queued", "starting", "restoring", "booting"];

export class Agent {
  conversations = new Map();
  chosen = new Map(); // model and pin by conversation
  titles = new Map();
  sockets = new Set();
  runs = new Map();
  seen = new Set();
  status = { status: "Idle" };
  queue = [];
  busy = false;

  constructor({ phaseMs = 900, etaSeconds = 4 } = {}) {
    this.phaseMs = phaseMs;
    this.etaSeconds = etaSeconds;
  }

  broadcast(frame, except) {
    for (const socket of this.sockets) if (socket !== except) socket.send(frame);
  }

  setStatus(status) {
    this.status = status;
    this.broadcast({ type: "status", ...status });
  }

  rows(id) {
    if (!this.conversations.has(id)) this.conversations.set(id, []);
    return this.conversations.get(id);
  }

  page(id, before, limit = 30) {
    const rows = this.rows(id);
    const end = before ? Number(before) : rows.length;
    const start = Math.max(0, end - limit);
    return { conversationId: id, messages: rows.slice(start, end), before: start > 0 ? String(start) : null };
  }

  change(id, { title, model, pinned }) {
    if (title) this.titles.set(id, title);
    const chosen = { ...this.chosen.get(id), ...(model === undefined ? {} : { model }), ...(pinned === undefined ? {} : { pinned }) };
    this.chosen.set(id, Object.fromEntries(Object.entries(chosen).filter(([, value]) => value)));
  }

  list() {
    return [...this.conversations].filter(([, rows]) => rows.length).map(([conversationId, rows]) => ({
      conversationId, title: this.titles.get(conversationId) ?? rows[0].content.slice(0, 60),
      updatedAt: rows.at(-1).createdAt, preview: rows.at(-1).content.slice(0, 80), ...this.chosen.get(conversationId),
    })).sort((a, b) => b.updatedAt - a.updatedAt);
  }

  /** Takes a message once; returns the fields of its ack. */
  accept(message, from) {
    const { id, text, conversationId = "main", attachments } = message;
    if (this.seen.has(id)) return { id, conversationId, duplicate: true };
    this.seen.add(id);
    const row = { messageId: id, role: "user", content: text, conversationId, createdAt: Date.now() };
    if (attachments) row.attachments = attachments.map(({ mimeType, fileName }) => ({ mimeType, fileName }));
    this.rows(conversationId).push(row);
    this.broadcast({ type: "message", ...row }, from);
    const [summary] = this.list();
    this.broadcast({ type: "conversation", ...summary });
    this.queue.push(row);
    setTimeout(() => this.work(), 30);
    return { id, conversationId };
  }

  async work() {
    if (this.busy) return;
    this.busy = true;
    if (this.status.status === "Idle") await this.wakeUp();
    while (this.queue.length) await this.run(this.queue.shift());
    this.busy = false;
  }

  async wakeUp() {
    const startedAt = Date.now();
    for (const phase of PHASES) {
      const left = this.etaSeconds - (Date.now() - startedAt) / 1000;
      this.setStatus({ status: "Starting", phase, etaSeconds: Math.max(0, Math.round(left)), startedAt });
      await sleep(this.phaseMs);
    }
    this.setStatus({ status: "Running", phase: "ready", startedAt });
  }

  async run(row) {
    const key = { runId: `run-${row.messageId}`, conversationId: row.conversationId, replyTo: row.messageId };
    const run = { ...key, text: row.content, chunks: [], stopped: false };
    this.runs.set(key.runId, run);
    this.broadcast({ type: "activity", ...key, kind: "thinking", state: "start" });
    await sleep(300);
    if (/tool/.test(row.content)) {
      this.broadcast({ type: "activity", ...key, kind: "tool", name: "web_search", state: "start" });
      await sleep(900);
    }
    const { pieces, everyMs = CHUNK_MS } = answerFor(row.content);
    for (const content of pieces) {
      if (run.stopped) break;
      run.chunks.push(content);
      const seq = run.chunks.length;
      this.broadcast({ type: "stream_chunk", ...key, fromSeq: seq, seq, content });
      await sleep(everyMs);
    }
    this.finish(run, key, /fail|over the limit/.test(row.content) ? "error" : run.stopped ? "aborted" : "final");
  }

  finish(run, key, reason) {
    const content = run.chunks.join("");
    const messageId = `${key.replyTo}.answer`;
    this.runs.delete(key.runId);
    const error = reason === "error" ? { error: failure(run.text) } : {};
    this.rows(key.conversationId).push({
      messageId, role: "assistant", content, conversationId: key.conversationId, createdAt: Date.now(), replyTo: key.replyTo, reason, ...error,
    });
    if (/near the limit/.test(run.text)) this.broadcast({ type: "notice", code: "BUDGET_NEAR", message: "The limit is near.", usd: 4.1, limitUsd: 5 });
    this.broadcast({ type: "stream_end", ...key, seq: run.chunks.length + 1, messageId, reason, length: [...content].length, ...error });
  }

  resume({ runId, lastSeq = 0, conversationId = "main" }, socket) {
    const run = runId ? this.runs.get(runId) : [...this.runs.values()].find((one) => one.conversationId === conversationId);
    if (!run) return socket.send({ type: "error", code: "RUN_UNKNOWN", message: "No such run" });
    const { chunks, stopped: _, text: __, ...key } = run;
    const missed = chunks.slice(lastSeq);
    if (missed.length) socket.send({ type: "stream_chunk", ...key, fromSeq: lastSeq + 1, seq: chunks.length, content: missed.join("") });
  }

  stop(runId) {
    for (const run of this.runs.values()) if (!runId || run.runId === runId) run.stopped = true;
  }

  onMessage(socket, frame) {
    switch (frame.action) {
      case "sendMessage":
        if (/^refuse/.test(frame.text)) return socket.send({ type: "error", code: "BAD_FIELD", message: "text: refused for show", id: frame.id });
        return socket.send({ type: "ack", ...this.accept(frame, socket) });
      case "getStatus": return socket.send({ type: "status", ...this.status });
      case "resume": return this.resume(frame, socket);
      case "stop": return this.stop(frame.runId);
      case "ping": return socket.send({ type: "pong" });
      case "visible": return undefined;
      default: return socket.send({ type: "error", code: "UNKNOWN_ACTION", message: `Unknown action ${frame.action}` });
    }
  }
}

const failure = (text) => (/over the limit/.test(text)
  ? { code: "BUDGET_REACHED", message: "$5.00 of $5.00 are used." }
  : { code: "PROVIDER_ERROR", message: "The provider answered 529 (overloaded)." });

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
