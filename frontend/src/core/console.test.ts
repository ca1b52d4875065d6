import { expect, it, vi } from "vitest";
import type { ConsoleFrame } from "../protocol/frames";
import { isFromFrame, isFromPage, type FromPage } from "../sandbox/console/messages";
import { ConsoleTunnels, pieces, readConsole } from "./console";

const T = "tunnel-1";
type Sent = Record<string, unknown>;

function tunnels() {
  const sent: Sent[] = [], shown: FromPage[] = [];
  const state = { open: true, now: 0 };
  const carried = new ConsoleTunnels((frame) => state.open && sent.push(frame as Sent) > 0, (message) => shown.push(message), () => state.now);
  return { carried, sent, shown, state };
}
const data = (seq: number, text: string, more = false): ConsoleFrame => ({ type: "console", kind: "data", tunnel: T, seq, more, data: text });

it("cuts a message into numbered pieces that fit a frame", () => {
  const { carried, sent } = tunnels();
  carried.fromFrame({ console: "open", tunnel: T });
  const text = "한\"\u0001".repeat(9_000);
  carried.fromFrame({ console: "send", tunnel: T, data: text });
  carried.fromFrame({ console: "send", tunnel: T, data: "" });
  const [open, ...rest] = sent;
  expect(open).toEqual({ action: "console", kind: "open", tunnel: T });
  expect(rest.map(({ seq }) => seq)).toEqual(rest.map((_, index) => index + 1));
  expect(rest.map(({ more }) => more)).toEqual([...rest.slice(2).map(() => true), false, false]);
  expect(rest.map(({ data: piece }) => piece).join("")).toBe(text);
  for (const frame of sent) expect(new TextEncoder().encode(JSON.stringify(frame)).length).toBeLessThan(32_000);
});

it("puts the gateway's pieces together, and closes where one is missing", () => {
  const { carried, sent, shown } = tunnels();
  carried.fromFrame({ console: "open", tunnel: T });
  carried.fromServer(data(1, "a", true));
  carried.fromServer(data(1, "a", true));
  carried.fromServer(data(2, "b"));
  expect(shown).toEqual([{ console: "message", tunnel: T, data: "ab" }]);
  carried.fromServer(data(4, "d"));
  expect(shown[1]).toEqual({ console: "closed", tunnel: T, code: 1006, reason: "" });
  expect(sent.at(-1)).toEqual({ action: "console", kind: "close", tunnel: T });
  carried.fromServer(data(3, "c"));
  expect(shown.length).toBe(2);
});

it("closes with the socket, the gateway and the frame", () => {
  const { carried, sent, shown, state } = tunnels();
  carried.fromFrame({ console: "open", tunnel: T });
  carried.fromServer({ type: "console", kind: "close", tunnel: T, code: 4001, reason: "asleep" });
  expect(shown).toEqual([{ console: "closed", tunnel: T, code: 4001, reason: "asleep" }]);
  carried.fromFrame({ console: "open", tunnel: T });
  carried.lost();
  expect(shown[1]).toMatchObject({ console: "closed", code: 1006 });
  state.open = false;
  carried.fromFrame({ console: "open", tunnel: T });
  expect(shown[2]).toMatchObject({ console: "closed" });
  state.open = true;
  carried.fromFrame({ console: "open", tunnel: T });
  carried.close();
  expect(sent.at(-1)).toMatchObject({ kind: "close" });
});

it("tells once a minute that somebody works in it", () => {
  const { carried, sent, state } = tunnels();
  carried.fromFrame({ console: "used" });
  expect(sent).toEqual([]);
  carried.fromFrame({ console: "open", tunnel: T });
  vi.useFakeTimers();
  const used = () => sent.filter(({ kind }) => kind === "used").length;
  for (const now of [1_000, 30_000, 31_000]) {
    state.now = now;
    carried.fromFrame({ console: "used" });
  }
  expect(used()).toBe(1);
  // What was done since is told at the end of the minute, or with the dialog: the agent saves then.
  vi.advanceTimersByTime(31_000);
  expect(used()).toBe(2);
  carried.fromFrame({ console: "used" });
  carried.close();
  expect(used()).toBe(3);
  vi.advanceTimersByTime(100_000);
  expect(used()).toBe(3);
  vi.useRealTimers();
});

it("takes only what has the right shape", () => {
  expect(readConsole('{"type":"console","kind":"data","tunnel":"t","seq":1,"data":"x"}')).toMatchObject({ seq: 1 });
  for (const wrong of ["{", '"console"', '{"type":"ack","console":1}', '{"type":"console","kind":"data","tunnel":"t"}', 5]) expect(readConsole(wrong)).toBeNull();
  expect([isFromFrame({ console: "send", tunnel: "t" }), isFromFrame(null), isFromFrame({ console: "used" })]).toEqual([false, false, true]);
  expect([isFromPage({ console: "message", tunnel: "t" }), isFromPage({ console: "closed", tunnel: "t" })]).toEqual([false, true]);
  expect(pieces("")).toEqual([""]);
});
