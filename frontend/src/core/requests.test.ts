import { expect, it, vi } from "vitest";
import { ask, type RequestSocket } from "./requests";

type Sent = { id: string; method: string; subject: string; action: string };

function connected(open = true) {
  const sent: Sent[] = [];
  const listeners = new Set<(data: unknown) => void>();
  const socket: RequestSocket = { listeners, send: (frame) => open && sent.push(frame as Sent) > 0 };
  const says = (frame: object) => { for (const heard of listeners) heard(JSON.stringify(frame)); };
  return { socket, sent, says };
}

it("gives the result of its own request and hears no more after it", async () => {
  const { socket, sent, says } = connected();
  const result = ask<{ hits: number }>(socket, "memory.search", "tea");
  expect(sent[0]).toMatchObject({ action: "request", method: "memory.search", subject: "tea" });
  says({ type: "response", id: "another", result: { hits: 9 } });
  says({ type: "ack", id: sent[0]!.id });
  for (const heard of socket.listeners) heard(`{ ${sent[0]!.id}`);
  says({ type: "response", id: sent[0]!.id, result: { hits: 1 } });
  expect(await result).toEqual({ hits: 1 });
  expect(socket.listeners.size).toBe(0);
});

it("fails with the code of the agent, of the server, without a connection and after silence", async () => {
  for (const type of ["response", "error"]) {
    const { socket, sent, says } = connected();
    const refused = ask(socket, "skills.search", "tea");
    says({ type, id: sent[0]!.id, code: "ASLEEP", message: "Your agent is asleep." });
    await expect(refused).rejects.toMatchObject({ code: "ASLEEP", message: "Your agent is asleep." });
  }
  const offline = connected(false);
  await expect(ask(offline.socket, "skills.search", "tea")).rejects.toMatchObject({ code: "OFFLINE" });
  expect(offline.socket.listeners.size).toBe(0);
  vi.useFakeTimers();
  const silent = ask(connected().socket, "skills.install", "@ada/tea");
  const failed = expect(silent).rejects.toMatchObject({ code: "SILENT" });
  await vi.advanceTimersByTimeAsync(260_000);
  await failed;
  vi.useRealTimers();
});
