import { beforeEach, describe, expect, it } from "vitest";
import type { OutgoingMessage } from "../protocol/frames";
import { MemoryStorage, settle } from "./fakes";
import { Outbox } from "./outbox";
import { RESEND_MS, Sender } from "./sender";

const LARGE = "x".repeat(33_000);

describe("the sender", () => {
  let outbox: Outbox;
  let sender: Sender;
  let open: boolean;
  let now: number;
  let sent: string[];
  let posted: string[];
  let refused: string[];
  let waiting: string[];
  let post: (message: OutgoingMessage) => Promise<unknown>;

  beforeEach(() => {
    outbox = new Outbox(new MemoryStorage(), "k");
    [open, now, sent, posted, refused, waiting] = [true, 0, [], [], [], []];
    post = async () => ({});
    sender = new Sender({
      outbox, now: () => now,
      send: (frame) => { if (open && "id" in frame) sent.push(frame.id); return open; },
      post: (message) => { posted.push(message.id); return post(message); },
      accepted: (id, error) => { if (error) waiting.push(`${id} ${error.code}`); outbox.remove(id); },
      refused: (id) => { refused.push(id); outbox.remove(id); },
    });
  });
  const add = (id: string, text = "hello") => outbox.add({ id, text, conversationId: "main", createdAt: now });

  it("sends in the order of writing", async () => {
    add("message-1");
    add("message-2");
    await sender.flush();
    expect(sent).toEqual(["message-1", "message-2"]);
  });

  it("keeps everything while there is no connection, and sends it once when there is", async () => {
    open = false;
    add("message-1");
    await sender.flush();
    open = true;
    await sender.reconnected();
    await sender.flush();
    expect(sent).toEqual(["message-1"]);
  });

  it("sends under the same id again when no ack comes", async () => {
    add("message-1");
    await sender.flush();
    now = RESEND_MS - 1;
    await sender.flush();
    expect(sent).toHaveLength(1);
    now = RESEND_MS;
    await sender.flush();
    expect(sent).toEqual(["message-1", "message-1"]);
  });

  it("sends what was not acknowledged at once on a new connection", async () => {
    add("message-1");
    await sender.flush();
    await sender.reconnected();
    expect(sent).toEqual(["message-1", "message-1"]);
  });

  it("never sends again what was acknowledged", async () => {
    add("message-1");
    await sender.flush();
    outbox.remove("message-1");
    await sender.reconnected();
    expect(sent).toHaveLength(1);
  });

  it("posts a message that is too large for a frame, and holds back those after it", async () => {
    let finish = (_: unknown) => {};
    post = () => new Promise((resolve) => { finish = resolve; });
    add("message-1", LARGE);
    add("message-2");
    const flushed = sender.flush();
    await settle();
    expect([posted, sent]).toEqual([["message-1"], []]);
    finish({});
    await flushed;
    expect(sent).toEqual(["message-2"]);
  });

  it("measures a message in bytes, not in characters", async () => {
    add("message-1", "한".repeat(11_000));
    await sender.flush();
    expect(posted).toEqual(["message-1"]);
  });

  it("keeps a large message when the network fails, and gives it up when it is refused", async () => {
    add("message-1", LARGE);
    post = () => Promise.reject(Object.assign(new Error("no network"), { code: "OFFLINE" }));
    await sender.flush();
    expect(outbox.entries).toHaveLength(1);
    now = RESEND_MS;
    post = () => Promise.reject(Object.assign(new Error("too large"), { code: "ATTACHMENT_TOO_LARGE" }));
    await sender.flush();
    expect(refused).toEqual(["message-1"]);
  });

  it.each(["START_FAILED", "CAPACITY"])("posts a large message once when it is kept but waits (%s)", async (code) => {
    add("message-1", LARGE);
    post = () => Promise.reject(Object.assign(new Error("no agent"), { code }));
    await sender.flush();
    now = RESEND_MS;
    await sender.flush();
    expect([posted, waiting, refused]).toEqual([["message-1"], [`message-1 ${code}`], []]);
  });

  it("holds back later messages until a large one that failed is there", async () => {
    add("message-1", LARGE);
    add("message-2");
    post = () => Promise.reject(Object.assign(new Error("no network"), { code: "OFFLINE" }));
    await sender.flush();
    now = RESEND_MS - 1;
    await sender.flush();
    expect(sent).toEqual([]);
    now = RESEND_MS;
    post = async () => ({});
    await sender.flush();
    expect([posted, sent]).toEqual([["message-1", "message-1"], ["message-2"]]);
  });

  it("holds nothing back for a message that is only not acknowledged yet", async () => {
    add("message-1");
    await sender.flush();
    add("message-2");
    await sender.flush();
    expect(sent).toEqual(["message-1", "message-2"]);
  });

  it("holds later messages back when the server did not take one", async () => {
    add("message-1");
    await sender.flush();
    sender.notTaken("message-1");
    add("message-2");
    await sender.flush();
    expect(sent).toEqual(["message-1"]);
    now = RESEND_MS;
    await sender.flush();
    expect(sent).toEqual(["message-1", "message-1", "message-2"]);
  });
});
