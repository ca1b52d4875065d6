import type { PushKeys } from "./core/push";
import { HealthApi, PeopleApi } from "./people";
import type { SkillReport, SkillUpload, SkillWish } from "./core/skills";
import type { UploadPlace } from "./upload";
import type { AckFrame, Attachment, MessageRow, OutgoingMessage, StatusFrame } from "./protocol/frames";

export interface ConversationSummary {
  conversationId: string;
  title: string;
  updatedAt: number;
  preview?: string;
  /** Its own model as provider/name; without one it has that of the settings. */
  model?: string;
  pinned?: boolean;
  folder?: string;
}
/** `model` null: that of the settings; `folder` null: none. */
export interface ConversationPatch { title?: string; model?: string | null; pinned?: boolean; folder?: string | null }
export interface Page { conversationId: string; messages: MessageRow[]; before: string | null }
export interface StatusReport extends Omit<StatusFrame, "type"> {
  telegramLinked?: boolean;
  cost?: Cost | null;
  early?: Early;
}
/** This month's estimate in US dollars, and what the deployment's owner allows at most; not `complete` where some model's price is not known. */
export interface Cost { month: string; usd: number; complete: boolean; limitUsd?: number; capUsd?: number }
/** This month's starts before the person wrote: how many were ready then, and what they cost AWS. A budget of 0: off. */
export interface Early { starts: number; ready: number; usd: number; budgetUsd: number }
export interface Settings {
  model: string | null;
  models: { id: string; name: string; default?: boolean; heartbeatUsd?: number }[];
  idleTimeoutMinutes: number | null;
  timeZone: string;
  /** null: nobody has set one, and UTC is a guess. */
  timeZoneFrom: "browser" | "user" | null;
  retentionDays: number | null;
  /** The user's own monthly limit in US dollars; null for the deployment's. */
  budgetUsd: number | null;
  /** Whether a small model names new conversations. */
  autoTitle: boolean;
  /** Whether a voice message is answered by voice, too. */
  /** A first answer from the model while the agent wakes up. */
  firstWords: boolean;
  /** A first answer that needs no tool stands, and the agent sleeps on. */
  smallTalk: boolean;
  voiceAnswers: boolean;
  /** Whether the agent asks before it runs a new command. */
  permissionMode: "full" | "ask";
  /** Whether a notification shows what the agent says. */
  pushText: boolean;
  /** How often the agent looks by itself for what needs the person; null: never. */
  heartbeatMinutes: number | null;
  /** Like 08:00-22:00, in the user's time zone; null: day and night. */
  heartbeatHours: string | null;
  /** US dollars a month by minutes; empty when the price of the model is not known. */
  heartbeatPrices: Record<string, number>;
  /** US dollars a month for early starts; 0: none; null: the deployment's. */
  prewarmBudget: number | null;
}
/** `browserTimeZone` counts only while no time zone is set. */
export type SettingsPatch = Partial<Omit<Settings, "models" | "timeZoneFrom" | "heartbeatPrices">> & { browserTimeZone?: string };
/** An automation of the agent's, as it was when the agent was last awake; times in ms. */
export interface Automation {
  id: string;
  name: string;
  /** In words; empty for something that happens once. */
  schedule: string;
  text?: string;
  enabled: boolean;
  nextRunAt?: number;
  lastRunAt?: number;
  lastStatus?: string;
  /** A change that the agent makes when it is awake again. */
  asked?: AutomationAction;
}
export type AutomationAction = "pause" | "resume" | "run" | "delete";
/** A helper or a background command that runs, or did when the agent's container ended; `at`: begun, in ms. */
export interface BackgroundWork { id: string; kind: "subagent" | "exec"; text: string; at: number; asked?: "stop" }
export interface Doing { automations: Automation[]; work: BackgroundWork[] }
/** A command that was allowed for good. */
export interface AllowedCommand { id: string; command: string; directory: string; at: number; revoked?: boolean }
/** What a month was spent for: of each model and cause, and AWS for the time in which the agent was awake. */
export interface Costs {
  month: string;
  parts: { cause: "answers" | "itself" | "first"; model: string; usd: number; calls: number }[];
  awakeMs: number;
  awsUsd: number;
  /** How often the agent was suspended, on an engine that does that. */
  pauses?: number;
}
/** A start of the agent's container; times and lengths in ms. */
export interface AgentStart {
  generation: number;
  state: "starting" | "awake" | "ended" | "killed" | "failed";
  kind?: "cold" | "claimed" | "early";
  began?: number;
  ready?: number;
  /** Until the memory was back, and then until OpenClaw answered. */
  restore?: number;
  gateway?: number;
  failure?: "memory" | "openclaw";
  restarts?: number;
  ended?: number;
  end?: "asked" | "done" | "crashed" | "told";
}
/** A browser that is told by Web Push; times in ms. */
export interface Device {
  id: string;
  name: string;
  createdAt: number;
  lastUsedAt?: number;
  /** The HTTP status with which the last push was refused. */
  problem?: number;
}
/** A state of the agent's memory that one can go back to. */
export interface RestorePoint { id: string; createdAt: number; bytes: number; files: number; reason: string; unrestful: boolean }
/** The last restore, export or import. A finished export has a `downloadUrl` for an hour. */
export interface MemoryRequest {
  id: string;
  kind: "restore" | "export" | "import";
  at: number;
  status: "pending" | "done" | "failed";
  message: string;
  downloadUrl?: string;
}
export interface MemoryReport { points: RestorePoint[]; last: MemoryRequest | null }
/** An address to which a program posts; times in ms. */
export interface Hook {
  id: string;
  name: string;
  instruction: string;
  conversationId: string;
  createdAt: number;
  uses: number;
  usedAt?: number;
}
/** Without a `conversationId` it gets a conversation of its own. */
export interface NewHook { name: string; instruction: string; conversationId?: string }
/** A folder of the agent's workspace, as it was saved last; `savedAt` null: never yet. */
export interface WorkspaceFolder {
  path: { id: string; name: string }[];
  entries: WorkspaceEntry[];
  savedAt: number | null;
  truncated?: boolean;
}
export interface WorkspaceEntry { id: string; name: string; kind: "file" | "folder" | "link"; sizeBytes?: number; updatedAt?: number }
/** An edit of a memory file; `applied`: the agent has it, not saved yet; `conflict`: the agent changed the file meanwhile. */
export interface NoteEdit { id: string; at: number; status: "pending" | "applied" | "conflict" }
export interface NoteSummary { name: string; sizeBytes?: number; updatedAt?: number; edit?: NoteEdit }
/** What the agent changed last, as unified diffs; `cut`: there was more. */
export interface NoteChanges { at: number; files: { name: string; diff: string }[]; cut: boolean }
/** The agent's memory files, as they were saved last; `savedAt` null: never yet. */
export interface NoteList { savedAt: number | null; notes: NoteSummary[]; changed: NoteChanges | null }
export interface NoteHits { hits: { name: string; line: number; text: string }[]; truncated: boolean }
/** `text` null: the agent has deleted the file, or it cannot be shown (`problem` says why). An edit names the `version` of the text it was made from. */
export interface Note {
  name: string;
  text: string | null;
  version: string;
  savedAt: number | null;
  edit: (NoteEdit & { text: string; version: string }) | null;
  problem?: string;
}
/** A short-lived address; whoever opens it saves the file. */
export interface FileLink { url: string; expiresInSeconds: number }
export interface LinkCode { code: string; expiresAt: number; deepLink: string | null }
/** `blocked`: the chat takes nothing from the bot. */
export interface LinkStatus { linked: boolean; telegramName?: string; blocked?: boolean }
/** A server of tools; its address without what follows the path. */
export interface McpServer { name: string; url: string; token: boolean; at: number }
export type { Attachment };

/** An answer that is not 2xx, or none at all (`status` 0). */
export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message);
  }
}

export interface TokenSource {
  /** A valid ID token; `fresh` asks for a new one. Rejects when the user must sign in again. */
  (fresh?: boolean): Promise<string>;
}

export class Api {
  constructor(private readonly base: string, private readonly token: TokenSource) {}

  readonly people = new PeopleApi((...asked) => this.#call(...asked));
  readonly health = new HealthApi((...asked) => this.#call(...asked));
  status = () => this.#call<StatusReport>("GET", "/status");
  stopAgent = () => this.#call<void>("POST", "/stop-agent");
  conversations = async () =>
    (await this.#call<{ conversations: ConversationSummary[] }>("GET", "/conversations")).conversations;
  page = (id: string, before?: string | null, limit = 30) => {
    const query = new URLSearchParams({ limit: String(limit) });
    if (before) query.set("before", before);
    return this.#call<Page>("GET", `/conversations/${encodeURIComponent(id)}?${query}`);
  };
  changeConversation = (id: string, patch: ConversationPatch) =>
    this.#call<ConversationSummary>("PUT", `/conversations/${encodeURIComponent(id)}`, patch);
  remove = (id: string) => this.#call<void>("DELETE", `/conversations/${encodeURIComponent(id)}`);
  postMessage = (message: OutgoingMessage) => this.#call<Omit<AckFrame, "type">>("POST", "/messages", message);
  ticket = async () => (await this.#call<{ ticket: string }>("POST", "/ws-ticket")).ticket;
  settings = () => this.#call<Settings>("GET", "/settings");
  saveSettings = (patch: SettingsPatch) => this.#call<Settings>("PUT", "/settings", patch);
  doing = () => this.#call<Doing>("GET", "/automations");
  changeDoing = (id: string, action: AutomationAction | "stop") =>
    this.#call<Doing>("POST", `/automations/${encodeURIComponent(id)}`, { action });
  allowed = async () => (await this.#call<{ commands: AllowedCommand[] }>("GET", "/allowed")).commands;
  revoke = async (id: string) =>
    (await this.#call<{ commands: AllowedCommand[] }>("DELETE", `/allowed/${encodeURIComponent(id)}`)).commands;
  devices = () => this.#call<{ devices: Device[] }>("GET", "/push");
  addDevice = (device: PushKeys & { name: string; language: string }) => this.#call<{ id: string }>("POST", "/push", device);
  removeDevice = (id: string) => this.#call<{ devices: Device[] }>("DELETE", `/push/${encodeURIComponent(id)}`);
  memory = () => this.#call<MemoryReport>("GET", "/memory");
  restoreMemory = (id: string) => this.#call<MemoryRequest>("POST", "/memory/restore", { id });
  exportMemory = () => this.#call<MemoryRequest>("POST", "/memory/export");
  costs = () => this.#call<Costs>("GET", "/costs");
  starts = async () => (await this.#call<{ starts: AgentStart[] }>("GET", "/starts")).starts;
  uploadMemory = () => this.#call<UploadPlace & { id: string; maxBytes: number }>("POST", "/memory/upload");
  uploadAttachment = (file: { fileName: string; mimeType: string; bytes: number }) =>
    this.#call<UploadPlace & { id: string; fileName: string; mimeType: string }>("POST", "/attachments", file);
  importMemory = (id: string) => this.#call<MemoryRequest>("POST", "/memory/import", { id });
  file = (id: string) => this.#call<FileLink>("GET", `/files/${encodeURIComponent(id)}`);
  workspace = (folder?: string) =>
    this.#call<WorkspaceFolder>("GET", folder ? `/workspace/${encodeURIComponent(folder)}` : "/workspace");
  workspaceFile = (id: string) => this.#call<FileLink>("POST", `/workspace/${encodeURIComponent(id)}`);
  notes = () => this.#call<NoteList>("GET", "/notes");
  searchNotes = (words: string) => this.#call<NoteHits>("GET", `/notes?${new URLSearchParams({ q: words })}`);
  note = (name: string) => this.#call<Note>("GET", `/notes/one?${new URLSearchParams({ name })}`);
  editNote = (edit: { name: string; text: string; version: string }) => this.#call<NoteEdit & { version: string }>("PUT", "/notes/one", edit);
  dropNoteEdit = (name: string, id: string) => this.#call<void>("DELETE", `/notes/one?${new URLSearchParams({ name, id })}`);
  skills = () => this.#call<SkillReport>("GET", "/skills");
  uploadSkill = (files: SkillUpload, replace: boolean) => this.#call<SkillWish>("POST", "/skills", { ...files, replace });
  switchSkill = (key: string, enabled: boolean) => this.#call<SkillReport>("PUT", `/skills/${encodeURIComponent(key)}`, { enabled });
  deleteSkill = (folder: string) => this.#call<SkillReport>("DELETE", `/skills/${encodeURIComponent(folder)}`);
  mcpServers = async () => (await this.#call<{ servers: McpServer[] }>("GET", "/mcp")).servers;
  addMcpServer = async (server: { name: string; url: string; token: string }) =>
    (await this.#call<{ servers: McpServer[] }>("POST", "/mcp", server)).servers;
  removeMcpServer = async (name: string) =>
    (await this.#call<{ servers: McpServer[] }>("DELETE", `/mcp/${encodeURIComponent(name)}`)).servers;
  hooks = async () => (await this.#call<{ hooks: Hook[] }>("GET", "/hooks")).hooks;
  /** The hook, and its address, which nobody can be told again. */
  newHook = async (wanted: NewHook) => {
    const { hook, token } = await this.#call<{ hook: Hook; token: string }>("POST", "/hooks", wanted);
    return { hook, url: new URL(`${this.base}/hooks/${token}`, location.href).href };
  };
  revokeHook = (id: string) => this.#call<void>("DELETE", `/hooks/${encodeURIComponent(id)}`);
  newLinkCode = () => this.#call<LinkCode>("POST", "/link/generate-otp");
  linkStatus = () => this.#call<LinkStatus>("GET", "/link/status");
  unlink = () => this.#call<LinkStatus>("POST", "/link/unlink");

  async #call<T>(method: string, path: string, body?: object): Promise<T> {
    let response = await this.#fetch(method, path, body, false);
    if (response.status === 401) response = await this.#fetch(method, path, body, true);
    if (!response.ok) throw await failure(response);
    const text = await response.text();
    return (text ? JSON.parse(text) : undefined) as T;
  }

  async #fetch(method: string, path: string, body: object | undefined, fresh: boolean): Promise<Response> {
    const headers: Record<string, string> = { Authorization: `Bearer ${await this.token(fresh)}` };
    if (body) headers["Content-Type"] = "application/json";
    const init: RequestInit = { method, headers, cache: "no-store", credentials: "omit" };
    if (body) init.body = JSON.stringify(body);
    try {
      return await fetch(this.base + path, init);
    } catch {
      throw new ApiError(0, "OFFLINE", "The server cannot be reached.");
    }
  }
}

async function failure(response: Response): Promise<ApiError> {
  const fallback = `HTTP ${response.status}`;
  try {
    const body = (await response.json()) as { code?: string; message?: string };
    return new ApiError(response.status, body.code ?? "INTERNAL", body.message ?? fallback);
  } catch {
    return new ApiError(response.status, "INTERNAL", fallback);
  }
}
