import { describe, expect, it } from "vitest";
import { newConversation, onRows } from "./conversation";
import { row } from "./fakes";
import { timeline } from "./timeline";
import { againId, collapse, questionId, type Chosen } from "./versions";

let at = 0;
const question = (id: string, content = "why?") => row(id, (at += 10), { content });
const answerTo = (id: string, more = {}) =>
  row(`${id}.answer`, (at += 10), { role: "assistant", content: `answer to ${id}`, replyTo: id, reason: "final", ...more });
const turn = (id: string, content?: string) => [question(id, content), answerTo(id)];
const shown = (rows: ReturnType<typeof row>[], chosen: Chosen = {}) =>
  collapse(timeline(onRows(newConversation("main"), rows)), chosen);
const ids = (rows: ReturnType<typeof row>[], chosen?: Chosen) => shown(rows, chosen).map(({ id }) => id);

describe("versions of a question", () => {
  const first = questionId();
  const second = againId(first);
  const third = againId(second);

  it("have ids that the protocol allows, however often they are asked again", () => {
    for (const id of [first, second, third]) expect(id).toMatch(/^[A-Za-z0-9_-]{8,64}$/);
    expect(new Set([first, second, third]).size).toBe(3);
  });

  it("are shown in one place, the newest on top, told by ids alone", () => {
    const rows = [...turn(first), ...turn(second), ...turn(third)];
    expect(ids(rows)).toEqual([third, `${third}.answer`]);
    expect(shown(rows).map(({ slot }) => slot)).toEqual([first, `${first}.answer`]);
    expect(shown(rows)[1]?.version).toEqual({ turn: first, at: 3, of: 3 });
    expect(shown(rows)[0]?.version).toBeUndefined();
  });

  it("can be gone through, until another one comes", () => {
    const chosen = { [first]: { turn: first, at: 1, of: 2 } };
    expect(ids([...turn(first), ...turn(second)], chosen)).toEqual([first, `${first}.answer`]);
    expect(ids([...turn(first), ...turn(second), ...turn(third)], chosen)).toEqual([third, `${third}.answer`]);
  });

  it("are known before the new answer comes, and where an answer failed", () => {
    const failed = answerTo(first, { reason: "error", content: "", error: { code: "PROVIDER_ERROR", message: "no" } });
    const [only] = shown([question(first), failed, question(second)]);
    expect(only).toMatchObject({ id: second, version: { at: 2, of: 2 } });
  });

  it("take an edited text along", () => {
    const rows = [...turn(first, "wyh?"), ...turn(second, "why?")];
    expect(shown(rows)[0]).toMatchObject({ id: second, text: "why?" });
  });

  it("stay where they were asked when something was said in between", () => {
    const other = questionId();
    const rows = [...turn(first), ...turn(other), ...turn(second), ...turn(third)];
    expect(ids(rows)).toEqual([first, `${first}.answer`, other, `${other}.answer`, third, `${third}.answer`]);
  });

  it("are found among those loaded while the first is on an older page", () => {
    expect(shown([...turn(second), ...turn(third)]).at(-1)).toMatchObject({ id: `${third}.answer`, version: { at: 2, of: 2 } });
  });

  it("are not made of equal texts: who writes the same twice means it", () => {
    const [one, two] = [questionId(), questionId()];
    expect(ids([...turn(one, "continue"), ...turn(two, "continue")])).toHaveLength(4);
  });

  it("are not made of what other clients call their messages", () => {
    const foreign = "telegram-again-aaaaaaaaaaaaaaaaaaaa";
    const after = againId(foreign);
    expect(after).toMatch(/^m-[a-z0-9]{20}$/);
    expect(ids([...turn(foreign), ...turn(after), ...turn("x-again-aaaaaaaaaaaaaaaaaaaa")])).toHaveLength(6);
  });
});
