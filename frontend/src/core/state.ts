import type { NoticeFrame, StatusFrame } from "../protocol/frames";
import { newConversation, type Conversation } from "./conversation";
import type { SocketState } from "./socket";

export interface AgentStatus extends Omit<StatusFrame, "type"> {
  /** When this was said, on this machine's clock. */
  receivedAt: number;
}

export interface ChatState {
  conversations: Readonly<Record<string, Conversation>>;
  current: string;
  connection: { state: SocketState; retryAt: number | null };
  agent: AgentStatus | null;
  /** The last error that belongs to no message. */
  notice: { code: string; message: string } | null;
  /** What the server wants known, until it is dismissed. */
  advice: NoticeFrame | null;
  stopping: boolean;
}

export function initialState(current: string): ChatState {
  return {
    conversations: {}, current, agent: null, notice: null, advice: null, stopping: false,
    connection: { state: "connecting", retryAt: null },
  };
}

/** A small observable: changes are gathered and told once per `schedule`, normally a frame of the screen. */
export class Store {
  state: ChatState;
  #published: ChatState;
  #listeners = new Set<() => void>();
  #scheduled = false;

  constructor(state: ChatState, private readonly schedule: (publish: () => void) => void) {
    this.state = this.#published = state;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  snapshot = (): ChatState => this.#published;

  set(patch: Partial<ChatState>): void {
    this.state = { ...this.state, ...patch };
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.schedule(() => this.publish());
  }

  publish(): void {
    this.#scheduled = false;
    if (this.#published === this.state) return;
    this.#published = this.state;
    for (const listener of this.#listeners) listener();
  }

  conversation(id: string): Conversation {
    return this.state.conversations[id] ?? newConversation(id);
  }

  update(id: string, change: (conversation: Conversation) => Conversation): void {
    const before = this.conversation(id);
    const after = change(before);
    if (after === this.state.conversations[id]) return;
    this.set({ conversations: { ...this.state.conversations, [id]: after } });
  }
}
