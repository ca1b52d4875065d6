/** Ties socket, outbox and conversations together; knows nothing of React or of the DOM. */
import { questionOf, type Attachment, type ErrorFrame, type Failure, type OutgoingMessage, type ServerFrame } from "../protocol/frames";
import { parseFrame } from "../protocol/parse";
import {
  acceptLocal, addLocal, canAskAgain, dropRuns, failRun, onActivity, onCard, onChunk, onEnd, onFirstWords, onRows, onThinking, onWork, patchMessage, pending, removeMessage,
  streamingRuns, type Conversation, type Effect, type Step,
} from "./conversation";
import { newId } from "./id";
import { Loader, type ReadPage } from "./loader";
import { tell, type News } from "./news";
import { Outbox, type KeyValue } from "./outbox";
import { isQueued, isTransient, Sender } from "./sender";
import { ChatSocket, type SocketDeps, type SocketState } from "./socket";
import { initialState, Store } from "./state";
import { againId, questionId } from "./versions";

export interface ClientDeps extends News {
  socket: Pick<SocketDeps, "url" | "open" | "online" | "random">;
  page: ReadPage;
  post(message: OutgoingMessage): Promise<unknown>;
  storage: KeyValue;
  /** Keeps the outboxes of two accounts in one tab apart. */
  account: string;
  schedule(publish: () => void): void;
  now(): number;
}

/** How often unacknowledged messages and open gaps are looked at. */
const TICK_MS = 3_000;

export class ChatClient {
  readonly store: Store;
  readonly socket: ChatSocket;
  readonly outbox: Outbox;
  readonly #sender: Sender;
  readonly #loader: Loader;
  #ticker: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly deps: ClientDeps, current: string) {
    this.store = new Store(initialState(current), deps.schedule);
    this.#loader = new Loader(this.store, deps.page);
    this.outbox = new Outbox(deps.storage, `outbox.${deps.account}`);
    this.socket = new ChatSocket({
      ...deps.socket, now: deps.now,
      onState: (state, retryAt) => this.#onSocket(state, retryAt),
      onData: (data) => this.#onData(data),
    });
    this.#sender = new Sender({
      outbox: this.outbox, now: deps.now, post: deps.post,
      send: (frame) => this.socket.send(frame),
      accepted: (id, error) => this.#accepted(id, error),
      refused: (id, error) => this.#refused(id, error),
    });
    this.#restorePending();
  }

  start(): void {
    this.socket.start();
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.show(this.store.state.current);
  }

  stop(): void {
    clearInterval(this.#ticker);
    this.socket.stop();
  }

  show(id: string): void {
    this.store.set({ current: id, notice: null });
    this.#loader.open(id);
    this.#resume(id);
    this.store.publish();
  }

  /** Opens a conversation that only this tab knows until its first message. */
  startNew(): string {
    const id = newId("c-");
    this.store.update(id, (conversation) => ({ ...conversation, load: "loaded" }));
    this.show(id);
    return id;
  }

  forget(id: string): void {
    const { [id]: _, ...conversations } = this.store.state.conversations;
    this.store.set({ conversations });
  }

  send(text: string, attachments: readonly Attachment[] = [], id = questionId()): string {
    const conversationId = this.store.state.current;
    const createdAt = this.deps.now();
    const entry = { id, text, conversationId, createdAt, ...(attachments.length ? { attachments: [...attachments] } : {}) };
    this.outbox.add(entry);
    this.store.update(conversationId, (conversation) => addLocal(conversation, pending(entry)));
    this.store.set({ notice: null });
    this.store.publish();
    void this.#sender.flush();
    return id;
  }

  /** Sends a refused or failed message again, as a new one: its old id is used up. */
  retry(id: string): void {
    const { current } = this.store.state;
    const message = this.store.conversation(current).messages[id];
    if (!message) return;
    this.discard(id);
    this.send(message.text, message.attachments);
  }

  /** Asks the question of an answer once more; the new answer takes the old one's place. */
  askAgain(answer: string): void {
    const { messages } = this.store.conversation(this.store.state.current);
    const question = messages[questionOf(answer)];
    if (question && canAskAgain(question)) this.send(question.text, question.attachments, againId(question.id));
  }

  /** Takes back a message that was not sent, or one that was refused. */
  discard(id: string): void {
    this.outbox.remove(id);
    this.store.update(this.store.state.current, (conversation) => removeMessage(conversation, id));
    this.store.publish();
  }

  abort(): void {
    const [run] = streamingRuns(this.store.conversation(this.store.state.current));
    this.store.set({ stopping: this.socket.send({
      action: "stop", conversationId: this.store.state.current, ...(run ? { runId: run.runId } : {}),
    }) });
  }

  /** Hands a waiting message to the answer that is being written. */
  sendNow(id: string): void {
    this.socket.send({ action: "steer", id, conversationId: this.store.state.current });
  }

  /** Answers a question of the agent; null: it decides itself. A frame tells what became of it. False: no connection. */
  answer(questionId: string, answers: Record<string, string[]> | null): boolean {
    return this.socket.send({ action: "answer", questionId, ...(answers ? { answers } : { cancel: true }) });
  }

  loadOlder(): Promise<boolean> {
    return this.#loader.older(this.store.state.current);
  }

  /** Loads the open conversation back to a time. False when that failed. */
  loadBack(at: number, stopped: () => boolean): Promise<boolean> {
    return this.#loader.back(this.store.state.current, at, stopped);
  }

  /** An error that belongs to no message, for the person to see. */
  tell(notice: Failure): void {
    this.store.set({ notice });
  }

  dismissNotice(): void {
    this.store.set({ notice: null });
  }

  dismissAdvice(): void {
    this.store.set({ advice: null });
  }

  #restorePending(): void {
    for (const entry of this.outbox.entries) {
      this.store.update(entry.conversationId, (conversation) => addLocal(conversation, pending(entry)));
    }
  }

  #resume(id: string): void {
    const runs = streamingRuns(this.store.conversation(id));
    for (const run of runs) this.#resumeRun(id, run.runId, run.lastSeq);
    if (runs.length === 0) this.socket.send({ action: "resume", conversationId: id });
  }

  #resumeRun(conversationId: string, runId: string, lastSeq: number): void {
    this.socket.send({ action: "resume", runId, lastSeq, conversationId });
  }

  #tick(): void {
    if (this.socket.state !== "open") return;
    void this.#sender.flush();
    for (const conversation of Object.values(this.store.state.conversations)) {
      for (const run of streamingRuns(conversation)) {
        if (run.ahead.length) this.#resumeRun(conversation.id, run.runId, run.lastSeq);
      }
    }
  }

  #onSocket(state: SocketState, retryAt: number | null): void {
    this.store.set({ connection: { state, retryAt }, stopping: false });
    if (state !== "open") return;
    this.socket.send({ action: "getStatus" });
    void this.#sender.reconnected();
    const { current } = this.store.state;
    // Other tabs and Telegram may have written while this one was away.
    this.#loader.missed();
    this.#loader.open(current);
    this.#resume(current);
  }

  #onData(data: unknown): void {
    const frame = parseFrame(data);
    if (!frame) return;
    this.#onFrame(frame);
    tell(this.deps, frame);
  }

  #onFrame(frame: ServerFrame): void {
    const now = this.deps.now();
    switch (frame.type) {
      case "ack": return this.#accepted(frame.id);
      case "status": {
        const { type: _, ...status } = frame;
        return this.store.set({ agent: { ...status, receivedAt: now } });
      }
      case "stream_chunk": return this.#step(frame.conversationId, (known) => onChunk(known, frame, now));
      case "first_words": return this.store.update(frame.conversationId, (known) => onFirstWords(known, frame));
      case "card": return this.store.update(frame.conversationId, (known) => onCard(known, frame, now));
      case "activity": return this.store.update(frame.conversationId, (known) => onActivity(known, frame, now));
      case "thinking": return this.store.update(frame.conversationId, (known) => onThinking(known, frame, now));
      case "work": return this.store.update(frame.conversationId, (known) => onWork(known, frame, now));
      case "stream_end":
        this.store.set({ stopping: false });
        return this.#step(frame.conversationId, (known) => onEnd(known, frame, now));
      case "message": return this.store.update(frame.conversationId, (known) => onRows(known, [frame]));
      case "history": return this.store.update(frame.conversationId, (known) => onRows(known, frame.messages));
      case "notice": return this.store.set({ advice: frame });
      case "error": return this.#onError(frame);
      default:
    }
  }

  #step(id: string, step: (conversation: Conversation) => Step): void {
    let effects: Effect[] = [];
    this.store.update(id, (conversation) => {
      const result = step(conversation);
      effects = result.effects;
      return result.conversation;
    });
    for (const effect of effects) {
      if (effect.kind === "refetch") void this.#loader.newest(effect.conversationId);
      else this.#resumeRun(effect.conversationId, effect.runId, effect.lastSeq);
    }
  }

  #onError(frame: ErrorFrame): void {
    const error = { code: frame.code, message: frame.message };
    if (frame.code === "RUN_UNKNOWN") {
      this.#onRunUnknown(frame);
    } else if (!frame.id) {
      this.store.set({ notice: error, stopping: false });
    } else if (isQueued(frame.code)) {
      this.#accepted(frame.id, error);
    } else if (isTransient(frame.code)) {
      this.#sender.notTaken(frame.id);
      this.#patch(frame.id, { error });
    } else {
      this.#refused(frame.id, error);
      // A message that was taken but could not be answered: what is said of it is saved in the answer's place.
      if (frame.code === "MESSAGE_DEAD") this.#refetch(frame.id);
    }
  }

  /** No run to resume or to stop: what this tab still takes for one has ended, and its answer is saved. */
  #onRunUnknown(frame: ErrorFrame): void {
    this.store.set({ stopping: false });
    const id = frame.conversationId ?? this.store.state.current;
    const runs = streamingRuns(this.store.conversation(id));
    const lost = runs.filter((run) => run.runId === frame.runId);
    const fetched = runs.length ? this.#loader.newest(id) : null;
    if (lost.length) void fetched?.then((here) => { if (here) this.store.update(id, (known) => dropRuns(known, lost)); });
  }

  #accepted(id: string, error?: Failure): void {
    const entry = this.outbox.remove(id);
    if (error) this.#patch(id, { error });
    if (!entry) return;
    this.store.update(entry.conversationId, (known) => acceptLocal(known, id));
    this.deps.onQuestion?.(entry.conversationId, entry.text);
  }

  #refused(id: string, error: Failure): void {
    this.outbox.remove(id);
    this.#patch(id, { state: "error", error });
    for (const { id: conversationId } of Object.values(this.store.state.conversations)) {
      this.store.update(conversationId, (known) => failRun(known, id, error));
    }
  }

  #refetch(messageId: string): void {
    for (const { id, messages } of Object.values(this.store.state.conversations)) {
      if (messages[messageId]) void this.#loader.newest(id);
    }
  }

  #patch(id: string, patch: Parameters<typeof patchMessage>[2]): void {
    for (const conversation of Object.values(this.store.state.conversations)) {
      if (conversation.messages[id]) this.store.update(conversation.id, (known) => patchMessage(known, id, patch));
    }
  }
}
