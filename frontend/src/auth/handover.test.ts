import { describe, expect, it } from "vitest";
import { MemoryStorage, settle } from "../core/fakes";
import { Handover, type Channel } from "./handover";
import { TabStorage } from "./storage";

class TabMemory extends MemoryStorage {
  get length(): number { return this.map.size; }
  key(index: number): string | null { return [...this.map.keys()][index] ?? null; }
  clear(): void { this.map.clear(); }
}

/** One broadcast channel among the tabs of a test. */
class Air {
  ends: Channel[] = [];
  join(): Channel {
    const end: Channel = {
      onmessage: null,
      postMessage: (data) => this.ends.filter((other) => other !== end).forEach((other) => other.onmessage?.({ data } as never)),
    };
    this.ends.push(end);
    return end;
  }
}

const TOKEN = "CognitoIdentityServiceProvider.client.ada.idToken";
function tab(air: Air) {
  const memory = new TabMemory();
  const storage = new TabStorage(memory);
  let out = 0;
  return { memory, handover: new Handover(air.join(), storage, () => { out += 1; }), signedOut: () => out };
}

describe("tabs hand over the session", () => {
  it("gives a new tab the tokens of one that is signed in, and nothing else", async () => {
    const air = new Air();
    const first = tab(air);
    first.memory.setItem(TOKEN, "secret");
    first.memory.setItem("outbox.ada", "[]");
    const second = tab(air);
    await second.handover.receive();
    expect([...second.memory.map]).toEqual([[TOKEN, "secret"]]);
  });

  it("goes on signed out when no other tab answers", async () => {
    const only = tab(new Air());
    await only.handover.receive();
    expect(only.memory.map.size).toBe(0);
  });

  it("takes no session that it did not ask for", async () => {
    const air = new Air();
    const only = tab(air);
    air.join().postMessage({ kind: "session", entries: { [TOKEN]: "forged" } });
    expect(only.memory.map.size).toBe(0);
  });

  it("signs all tabs out with one", async () => {
    const air = new Air();
    const first = tab(air);
    const second = tab(air);
    second.memory.setItem(TOKEN, "secret");
    first.handover.signedOut();
    await settle();
    expect(second.memory.map.size).toBe(0);
    expect([first.signedOut(), second.signedOut()]).toEqual([0, 1]);
  });
});
