import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import type { AgentStart } from "../../api";
import { Start } from "./LastStarts";

const shown = (start: Partial<AgentStart>) =>
  renderToStaticMarkup(<Start start={{ generation: 3, state: "ended", began: 1_795_000_000_000, ...start }} />);

it("tells how a start went and how it ended", () => {
  const told = shown({ kind: "cold", ready: 1_795_000_007_240, restore: 310, gateway: 3900, ended: 1_795_000_900_000, end: "asked" });
  expect(told).toContain("started for you");
  expect(told).toContain("Ready after 7.2 s: memory 0.3 s, OpenClaw 3.9 s");
  expect(told).toContain("Fell asleep:");
});

it("tells what went wrong, and what was done", () => {
  expect(shown({ state: "killed" })).toContain("It ended without a word.");
  expect(shown({ state: "failed", failure: "openclaw" })).toContain("OpenClaw did not start in this container.");
  expect(renderToStaticMarkup(<Start start={{ generation: 1, state: "failed" }} />)).toContain("before OpenClaw could start");
  expect(shown({ state: "awake", failure: "memory" })).toContain("nothing was saved over it");
  expect(shown({ end: "told", ended: 1, restarts: 2 })).toContain("started again (2 ×)");
  expect(shown({ end: "crashed", ended: 1 })).toContain("could not be started again");
});
