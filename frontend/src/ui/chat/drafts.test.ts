import { beforeEach, describe, expect, it } from "vitest";
import type { Attachment } from "../../protocol/frames";
import { settle } from "../../core/fakes";
import { Drafts, type Problem } from "./drafts";
import { NoPicture } from "./files";
import { TooLarge } from "./images";

interface Reading { name: string; signal: AbortSignal; progress(share: number): void; done(): Promise<void>; fails(error: Error): Promise<void> }

const file = (name: string) => ({ name }) as File;

describe("a draft", () => {
  let drafts: Drafts;
  /** Files that are being read, for the test to finish. */
  let reading: Reading[];
  let problems: Problem[];

  beforeEach(() => {
    [reading, problems] = [[], []];
    drafts = new Drafts(() => {}, ({ name }, progress, signal) => new Promise<Attachment>((resolve, reject) => {
      reading.push({
        name, signal, progress,
        done: () => { resolve({ mimeType: "image/png", fileName: name, content: "AAAA" }); return settle(); },
        fails: (error) => { reject(error); return settle(); },
      });
    }));
  });
  const add = (...names: string[]) => void drafts.addFiles("main", names.map(file), (problem) => problems.push(problem));
  const names = (id = "main") => drafts.get(id).attachments.map((image) => image.fileName);
  const finish = async () => { while (reading.length) await reading.shift()?.done(); };

  it("counts the files that are still being read", async () => {
    add("a", "b");
    expect(drafts.get("main").reading).toHaveLength(2);
    await reading[0]?.done();
    expect([drafts.get("main").reading.length, names()]).toEqual([1, ["a"]]);
    await reading[1]?.done();
    expect([drafts.get("main").reading.length, names()]).toEqual([0, ["a", "b"]]);
  });

  it("takes no more than four from two quick pastes", async () => {
    add("a", "b", "c");
    add("d", "e", "f");
    await finish();
    expect(names().toSorted()).toEqual(["a", "b", "c", "d"]);
    expect(problems).toEqual([{ key: "tooManyFiles" }]);
  });

  it("goes on after a file that cannot be read, and says which", async () => {
    add("a", "b", "c");
    await reading[0]?.fails(new TooLarge("a"));
    await reading[1]?.fails(new NoPicture("b"));
    await reading[2]?.done();
    expect(names()).toEqual(["c"]);
    expect(drafts.get("main").reading).toEqual([]);
    expect(problems).toEqual([{ key: "fileTooLarge", name: "a", limit: 40 }, { key: "imageFailed", name: "b" }]);
  });

  it("keeps the order in which files were chosen", async () => {
    drafts.edit("main", "m-1", "again", [{ mimeType: "image/png", fileName: "earlier" }]);
    add("large");
    add("small");
    await reading[1]?.done();
    await reading[0]?.done();
    expect(names()).toEqual(["earlier", "large", "small"]);
  });

  it("gives nothing that was read for it to the next one", async () => {
    add("a");
    drafts.clear("main");
    await finish();
    add("b");
    drafts.edit("main", "m-1", "again", []);
    await finish();
    expect(drafts.get("main")).toMatchObject({ text: "again", attachments: [], reading: [], editing: "m-1" });
  });

  it("gets the pictures chosen for it, though another conversation was opened meanwhile", async () => {
    add("a");
    drafts.set("c-other", { text: "elsewhere" });
    await finish();
    expect([names(), names("c-other")]).toEqual([["a"], []]);
  });

  it("loses the picture that is taken out, not one that came meanwhile", async () => {
    add("a", "b");
    await reading[0]?.done();
    const [shown] = drafts.get("main").attachments;
    await reading[1]?.done();
    drafts.remove("main", shown as Attachment);
    expect(names()).toEqual(["b"]);
  });

  it("shows how much of a file is there, and ends the upload of one that is taken out", async () => {
    add("a", "b");
    const [first] = reading;
    first?.progress(0.5);
    const [shown] = drafts.get("main").reading;
    expect(shown?.share).toBe(0.5);
    if (shown) drafts.cancel("main", shown);
    expect([first?.signal.aborted, drafts.get("main").reading.length]).toEqual([true, 1]);
    await first?.fails(new Error("aborted"));
    await reading[1]?.done();
    expect([names(), problems]).toEqual([["b"], []]);
  });
});
