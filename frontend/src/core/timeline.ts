import { answerId, type Attachment, type FirstWords, type GivenFile, type ProgressCard, type Question, type Thinking, type WorkStep } from "../protocol/frames";
import { canAskAgain, type Conversation, type Message } from "./conversation";
import type { Run } from "./runs";

/** One row of the chat, ready to draw. */
export interface Item {
  id: string;
  role: "user" | "assistant";
  text: string;
  createdAt: number;
  state: "pending" | "streaming" | "done" | "aborted" | "error";
  replyTo?: string;
  attachments?: Attachment[];
  files?: GivenFile[];
  activity?: Run["activity"];
  error?: { code: string; message: string };
  /** What the agent did for an answer, the model that wrote it, and what its calls cost. */
  work?: readonly WorkStep[];
  model?: string;
  costUsd?: number;
  thinking?: Thinking;
  card?: ProgressCard;
  /** The last question that has no answer yet. */
  waiting?: boolean;
  /** Of a waiting question: a turn runs before it, which could take it in. */
  behind?: boolean;
  /** Of a question: the answer that was being written took it in. */
  steered?: boolean;
  /** Of something that no person wrote or asked for: why it is here. */
  cause?: string;
  /** What the agent asks, and what became of it. */
  question?: Question;
  /** Of an answer: these are only its first words, and the agent has not begun. */
  first?: boolean;
  /** Of an answer: its question is here and can be asked once more. */
  again?: boolean;
}

const fromMessage = (message: Message): Item => {
  const { local: _, after: __, steered: ___, firstWords: ____, ...item } = message;
  return item;
};

const fromRun = (run: Run): Item => {
  const item: Item = {
    id: answerId(run.replyTo), role: "assistant", text: run.text,
    createdAt: run.startedAt, state: run.state, replyTo: run.replyTo,
  };
  if (run.activity) item.activity = run.activity;
  if (run.work?.length) item.work = run.work;
  if (run.model) item.model = run.model;
  if (run.card) item.card = run.card;
  if (run.thinking) item.thinking = run.thinking;
  if (run.costUsd !== undefined) item.costUsd = run.costUsd;
  if (run.error) item.error = run.error;
  if (run.files) item.files = run.files;
  return item;
};

/** It stands where the answer will be, under the same id. */
const firstAnswer = (question: Message, { text, ended }: FirstWords): Item => ({
  id: answerId(question.id), role: "assistant", text, createdAt: question.createdAt,
  state: ended ? "done" : "streaming", replyTo: question.id, first: true,
});

/** By the server's times; those made here after what they followed, so that a wrong clock on this machine reorders nothing. */
const byTime = (a: Message, b: Message): number => {
  const [x, y] = [a, b].map((message) => (message.local ? message.after ?? Infinity : message.createdAt)) as [number, number];
  if (x !== y) return x - y;
  return Number(a.local ?? false) - Number(b.local ?? false) || a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
};

/** Oldest first, each answer right after its question. */
export function timeline(conversation: Conversation): Item[] {
  const { messages, runs } = conversation;
  const items: Item[] = [];
  const placed = new Set<string>();
  const place = (item: Item) => {
    if (placed.has(item.id)) return;
    placed.add(item.id);
    items.push(item);
  };
  const placeAnswer = (question: Message, item: Item): boolean => {
    const run = runs[question.id];
    const saved = messages[answerId(question.id)];
    if (run?.steered ?? saved?.steered) item.steered = true;
    if (item.steered) return true;
    const answer = run ? fromRun(run) : saved && fromMessage(saved);
    if (answer) {
      if (question.cause !== undefined) answer.cause = question.cause;
      if (!answer.text && answer.state === "streaming" && question.firstWords) answer.text = question.firstWords.text;
      place(canAskAgain(question) ? { ...answer, again: true } : answer);
    } else if (question.firstWords?.text) {
      place(firstAnswer(question, question.firstWords));
    }
    return Boolean(answer);
  };
  for (const message of Object.values(messages).sort(byTime)) {
    // An answer waits for its question, unless that is on a page not loaded yet.
    if (message.replyTo && messages[message.replyTo]) continue;
    const item = fromMessage(message);
    place(item);
    if (message.role !== "user" || placeAnswer(message, item)) continue;
    if (message.state === "pending" || message.state === "done") item.waiting = true;
  }
  for (const run of Object.values(runs)) {
    if (!messages[run.replyTo]) place(fromRun(run));
  }
  const running = Object.values(runs).some((run) => run.state === "streaming");
  if (running) items.forEach((item) => { if (item.waiting) item.behind = true; });
  return withOneWaiting(items);
}

/** Only unanswered questions after the last answer wait: an old one was given up, not queued. */
function withOneWaiting(items: Item[]): Item[] {
  const lastAnswer = items.findLastIndex((item) =>
    item.role === "assistant" && !item.question && !item.first && (item.cause === undefined || item.replyTo !== undefined));
  items.forEach((item, index) => {
    if (index < lastAnswer && item.state !== "pending") delete item.waiting;
  });
  return items;
}
