import { beforeEach, expect, it } from "vitest";
import { Intent } from "./intent";

const MINUTE = 60_000;
let now = 0;
let open = true;
let sent: object[] = [];
let intent: Intent;

beforeEach(() => {
  now = 0;
  open = true;
  sent = [];
  intent = new Intent((frame) => {
    if (open) sent.push(frame);
    return open;
  }, () => now);
});

it("sends one frame for all signs of ten minutes", () => {
  for (; now < 10 * MINUTE; now += 1_000) intent.show();
  expect(sent).toEqual([{ action: "intent" }]);
  intent.show();
  expect(sent).toHaveLength(2);
});

it("says it once when the connection opens, if it was shown before", () => {
  open = false;
  intent.show();
  intent.show();
  open = true;
  intent.connected();
  intent.connected();
  expect(sent).toHaveLength(1);
});

it("says nothing of a page that was hidden before it had a connection, and nothing on each new connection", () => {
  open = false;
  intent.show();
  intent.hide();
  open = true;
  intent.connected();
  expect(sent).toEqual([]);
  intent.show();
  now += 30 * MINUTE;
  intent.connected();
  expect(sent).toHaveLength(1);
});
