import { beforeEach, describe, expect, it } from "vitest";
import type { Page } from "../api";
import type { MessageRow } from "../protocol/frames";
import { addLocal, onRows } from "./conversation";
import { row, settle } from "./fakes";
import { Loader } from "./loader";
import { initialState, Store } from "./state";
import { timeline } from "./timeline";

interface Asked {
  id: string;
  gets(...messages: MessageRow[]): Promise<void>;
  fails(code?: string): Promise<void>;
}

describe("the loader", () => {
  let store: Store;
  let loader: Loader;
  /** Every call to the server, for the test to answer. */
  let asked: Asked[];

  beforeEach(() => {
    asked = [];
    store = new Store(initialState("main"), (publish) => publish());
    loader = new Loader(store, (id) => new Promise<Page>((resolve, reject) => {
      asked.push({
        id,
        gets: (...messages) => { resolve({ conversationId: id, messages, before: "more" }); return settle(); },
        fails: (code = "OFFLINE") => { reject(Object.assign(new Error("no"), { code })); return settle(); },
      });
    }));
  });
  const last = () => asked.at(-1) as Asked;
  const load = async (...rows: MessageRow[]) => {
    void loader.newest("main");
    await last().gets(...rows);
  };
  const live = (...rows: MessageRow[]) => store.update("main", (known) => onRows(known, rows));
  const ids = () => timeline(store.conversation("main")).map(({ id }) => id);

  it("fetches once more when asked while a fetch is under way, however often", async () => {
    void loader.newest("main");
    const second = loader.newest("main");
    void loader.newest("main");
    expect(asked).toHaveLength(1);
    await asked[0]?.gets(row("q1", 1));
    expect(asked).toHaveLength(2);
    await asked[1]?.gets(row("q1", 1), row("q2", 2));
    expect(await second).toBe(true);
    expect(ids()).toEqual(["q1", "q2"]);
    expect(asked).toHaveLength(2);
  });

  it("is done for whoever asked last only when the later fetch is", async () => {
    void loader.newest("main");
    let done = false;
    void loader.newest("main").then(() => { done = true; });
    await asked[0]?.gets();
    expect(done).toBe(false);
    await asked[1]?.gets();
    expect(done).toBe(true);
  });

  it("tells whether the last fetch worked", async () => {
    const failed = loader.newest("main");
    await last().fails();
    expect(await failed).toBe(false);
    const missing = loader.newest("main");
    await last().fails("NOT_FOUND");
    expect(await missing).toBe(true);
  });

  it("fetches two conversations side by side", () => {
    void loader.newest("main");
    void loader.newest("c-other");
    expect(asked.map(({ id }) => id)).toEqual(["main", "c-other"]);
  });

  it("keeps what came live while the first page was on its way", async () => {
    void loader.newest("main");
    live(row("q2", 2));
    await last().gets(row("q1", 1));
    expect(ids()).toEqual(["q1", "q2"]);
  });

  it("does not show what came live long before the first page in front of a hole", async () => {
    live(row("q1", 1));
    await load(row("q8", 8), row("q9", 9));
    expect(ids()).toEqual(["q8", "q9"]);
  });

  it("opens what it has not, and nothing twice", async () => {
    loader.open("main");
    loader.open("main");
    expect(asked).toHaveLength(1);
    await last().gets(row("q1", 1));
    loader.open("main");
    expect(asked).toHaveLength(1);
  });

  it("opens what may have missed something while there was no connection, and shows the rest meanwhile", async () => {
    await load(row("q1", 1));
    loader.missed();
    loader.open("main");
    expect(store.conversation("main").load).toBe("loaded");
    expect(ids()).toEqual(["q1"]);
    await last().gets(row("q1", 1), row("q2", 2));
    loader.open("main");
    expect([asked.length, ids()]).toEqual([2, ["q1", "q2"]]);
  });

  it("fetches again what was already on its way when the connection came back", async () => {
    loader.open("main");
    loader.missed();
    await last().gets(row("q1", 1));
    loader.open("main");
    expect(asked).toHaveLength(2);
  });

  it("tries again what could not be fetched", async () => {
    await load(row("q1", 1));
    loader.missed();
    loader.open("main");
    await last().fails();
    expect(store.conversation("main").load).toBe("loaded");
    loader.open("main");
    expect(asked).toHaveLength(3);
  });

  it("starts over when so much was missed that a hole would stay, though newer ones came live since", async () => {
    await load(row("q1", 1));
    store.update("main", (known) => addLocal(known, { id: "mine", role: "user", text: "", createdAt: 2, state: "done", local: true, after: 1 }));
    loader.missed();
    live(row("q9", 9));
    store.update("main", (known) => addLocal(known, { id: "unsent", role: "user", text: "", createdAt: 9, state: "pending", local: true }));
    loader.open("main");
    live(row("q10", 10));
    await last().gets(row("q8", 8), row("q9", 9));
    expect(ids()).toEqual(["q8", "q9", "q10", "unsent"]);
    expect(store.conversation("main").before).toBe("more");
  });

  it("goes back to a time page by page, however many have to be fetched, and no further", async () => {
    await load(row("q9", 90));
    const back = loader.back("main", 65, () => false);
    await last().gets(row("q8", 80));
    await last().gets(row("q7", 70));
    expect(asked).toHaveLength(4);
    await last().gets(row("q6", 60));
    expect(await back).toBe(true);
    expect([asked.length, ids()]).toEqual([4, ["q6", "q7", "q8", "q9"]]);
    expect(await loader.back("main", 65, () => false)).toBe(true);
    expect(asked).toHaveLength(4);
  });

  it("shares the page that is on its way, ends when it is told to, and tells of a failure", async () => {
    await load(row("q9", 90));
    const scrolled = loader.older("main");
    let stopped = false;
    const back = loader.back("main", 0, () => stopped);
    expect(asked).toHaveLength(2);
    stopped = true;
    await last().gets(row("q8", 80));
    expect([await scrolled, await back, asked.length]).toEqual([true, true, 2]);
    const failing = loader.back("main", 0, () => false);
    await last().fails();
    expect(await failing).toBe(false);
  });

  it("reads the newest page first where nothing was read yet", async () => {
    const back = loader.back("main", 90, () => false);
    await last().gets(row("q9", 80));
    expect(await back).toBe(true);
    expect(ids()).toEqual(["q9"]);
  });
});
