import { describe, expect, it } from "vitest";
import { MemoryStorage } from "./fakes";
import { Outbox } from "./outbox";

const entry = (id: string, more = {}) => ({ id, text: `text ${id}`, conversationId: "main", createdAt: 1, ...more });

describe("the outbox", () => {
  it("gives a reloaded page the same messages under the same ids", () => {
    const storage = new MemoryStorage();
    const before = new Outbox(storage, "outbox.ada");
    before.add(entry("message-1"));
    before.add(entry("message-2"));
    before.remove("message-1");
    expect(new Outbox(storage, "outbox.ada").entries).toEqual([entry("message-2")]);
  });

  it("keeps the messages of two accounts apart", () => {
    const storage = new MemoryStorage();
    new Outbox(storage, "outbox.ada").add(entry("message-1"));
    expect(new Outbox(storage, "outbox.bob").entries).toEqual([]);
  });

  it("takes a message once", () => {
    const outbox = new Outbox(new MemoryStorage(), "k");
    outbox.add(entry("message-1"));
    outbox.add(entry("message-1"));
    expect(outbox.entries).toHaveLength(1);
  });

  it("keeps images in memory and text in storage when the quota is full", () => {
    const storage = new MemoryStorage();
    storage.room = 500;
    const outbox = new Outbox(storage, "k");
    outbox.add(entry("message-1"));
    outbox.add(entry("message-2", { attachments: [{ mimeType: "image/png", fileName: "a", content: "A".repeat(900) }] }));
    expect(outbox.entries).toHaveLength(2);
    expect(new Outbox(storage, "k").entries.map(({ id }) => id)).toEqual(["message-1"]);
  });

  it("survives storage that was damaged", () => {
    const storage = new MemoryStorage();
    storage.setItem("k", '[{"id":5}, null, "x"');
    expect(new Outbox(storage, "k").entries).toEqual([]);
    storage.setItem("k", '[{"id":5}, null, "x"]');
    expect(new Outbox(storage, "k").entries).toEqual([]);
  });
});
