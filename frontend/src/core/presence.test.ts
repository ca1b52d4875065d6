import { beforeEach, expect, it } from "vitest";
import { Presence } from "./presence";

let now = 0;
let open = true;
let said: boolean[] = [];
let presence: Presence;

beforeEach(() => {
  now = 0;
  open = true;
  said = [];
  presence = new Presence((frame) => {
    if (open) said.push((frame as { visible: boolean }).visible);
    return open;
  }, () => now);
});

it("says each change once", () => {
  presence.set(true);
  presence.set(true);
  presence.set(false);
  expect(said).toEqual([true, false]);
});

it("repeats that it is visible every two minutes, and never that it is hidden", () => {
  presence.set(true);
  for (now = 0; now < 241_000; now += 3_000) presence.tick();
  expect(said).toEqual([true, true, true]);
  presence.set(false);
  for (; now < 900_000; now += 3_000) presence.tick();
  expect(said).toEqual([true, true, true, false]);
});

it("tells a new connection what the last one knew", () => {
  presence.set(true);
  presence.connected();
  expect(said).toEqual([true, true]);
});

it("says it later when there is no connection", () => {
  open = false;
  presence.set(true);
  expect(said).toEqual([]);
  open = true;
  presence.tick();
  expect(said).toEqual([true]);
});
