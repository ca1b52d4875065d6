/** What the owner of a deployment asks for, and what everybody asks about the health of their own agent. */

/** Somebody with an account here; times in ms. Of what they write nothing is ever told. */
export interface Person {
  id: string;
  email: string;
  createdAt: number;
  /** `removing`: their removal is not finished; `closed`: nobody can sign in. */
  state: "confirmed" | "invited" | "unconfirmed" | "closed" | "removing";
  owner: boolean;
  you: boolean;
  agent: "Idle" | "Starting" | "Running" | "Stopping";
  month: string;
  usd: number;
  complete: boolean;
  /** What holds: their own choice, but never more than the owner's limit. */
  limitUsd: number;
  /** What the owner has set; null: nothing. */
  capUsd: number | null;
  highestUsd: number;
}
export interface PeoplePage { people: Person[]; next: string | null }
/** How far a removal is; it goes on with the next call. */
export type Removal = "stopping" | "deleting" | "done";
/** A line of the log of the agent's own container: numbers and codes only. */
export interface LogLine { at: number; event: string; fields: Record<string, string | number | boolean> }

type Call = <T>(method: string, path: string, body?: object) => Promise<T>;

export class PeopleApi {
  constructor(private readonly call: Call) {}

  list = (after?: string | null) =>
    this.call<PeoplePage>("GET", after ? `/people?${new URLSearchParams({ after })}` : "/people");
  invite = (email: string) => this.call<{ email: string; again: boolean }>("POST", "/people", { email });
  limit = (id: string, capUsd: number | null) => this.call<Person>("PUT", `/people/${encodeURIComponent(id)}`, { capUsd });
  remove = async (id: string, email: string) =>
    (await this.call<{ state: Removal }>("DELETE", `/people/${encodeURIComponent(id)}`, { email })).state;
}

export class HealthApi {
  constructor(private readonly call: Call) {}

  wake = () => this.call<void>("POST", "/wake-agent");
  restart = () => this.call<void>("POST", "/restart-agent");
  log = async () => (await this.call<{ lines: LogLine[] }>("GET", "/log")).lines;
}

const PAUSE_MS = 2_000;

/** Asks until it is over: a container takes up to a minute to end. `onState` hears how far it is. */
export async function removeWholly(
  step: () => Promise<Removal>, onState: (state: Removal) => void,
  pause: () => Promise<void> = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS)),
): Promise<void> {
  for (let state = await step(); ; state = await step()) {
    onState(state);
    if (state === "done") return;
    await pause();
  }
}
