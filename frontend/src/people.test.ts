import { expect, it } from "vitest";
import { removeWholly, type Removal } from "./people";

const told = async (...states: (Removal | Error)[]) => {
  const heard: Removal[] = [];
  const step = async () => {
    const next = states.shift();
    if (next instanceof Error || next === undefined) throw next;
    return next;
  };
  const error = await removeWholly(step, (state) => heard.push(state), async () => undefined).catch((reason: Error) => reason.message);
  return { heard, error, left: states.length };
};

it("asks again until nothing is left", async () => {
  expect(await told("stopping", "stopping", "deleting", "done", "done")).toEqual({ heard: ["stopping", "stopping", "deleting", "done"], error: undefined, left: 1 });
});

it("stops at a refusal and says it", async () => {
  expect(await told("stopping", new Error("Remove again to go on."), "done")).toEqual({ heard: ["stopping"], error: "Remove again to go on.", left: 1 });
});
