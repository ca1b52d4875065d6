import { describe, expect, it, vi } from "vitest";
import { orElse, read, recordingOf, type Voice } from "./reading";

/** A voice, and how to end it. */
function fake() {
  const silence = vi.fn();
  const said = { ended: () => {} };
  const voice: Voice = (ended) => { said.ended = ended; return silence; };
  return { voice, silence, said };
}

describe("what is read aloud", () => {
  it("ends when something else is read, and says so once", () => {
    const [first, second] = [fake(), fake()];
    const [onFirst, onSecond] = [vi.fn(), vi.fn()];
    read(first.voice, onFirst);
    const mine = read(second.voice, onSecond);
    expect([onFirst.mock.calls.length, first.silence.mock.calls.length]).toEqual([1, 1]);
    first.said.ended(); // a browser tells the end of what was cancelled a moment later
    expect([onFirst.mock.calls.length, onSecond.mock.calls.length]).toEqual([1, 0]);
    mine.stop();
    mine.stop();
    expect([onSecond.mock.calls.length, second.silence.mock.calls.length]).toEqual([1, 1]);
  });
  it("ends by itself", () => {
    const one = fake();
    const onEnd = vi.fn();
    read(one.voice, onEnd);
    one.said.ended();
    expect([onEnd.mock.calls.length, one.silence.mock.calls.length]).toEqual([1, 0]);
  });
  it("is read by the browser when the recording fails, but not when it was stopped before", () => {
    const browser = fake();
    const tried = { fails: () => {} };
    const stopFirst = vi.fn();
    const voice = orElse((_ended, fails) => { tried.fails = fails; return stopFirst; }, browser.voice);
    const mine = read(voice, vi.fn());
    tried.fails();
    tried.fails();
    mine.stop();
    expect([browser.silence.mock.calls.length, stopFirst.mock.calls.length]).toEqual([1, 0]);
    read(voice, vi.fn()).stop();
    tried.fails();
    expect([browser.silence.mock.calls.length, stopFirst.mock.calls.length]).toEqual([1, 1]);
    const onEnd = vi.fn();
    read(orElse((_ended, fails) => { fails(); return stopFirst; }, null), onEnd);
    expect(onEnd).toHaveBeenCalledOnce();
  });
  it("is a recording only if the Bridge made one of the answer", () => {
    const file = { id: "1", name: "voice-answer.ogg", mimeType: "audio/ogg", sizeBytes: 9, voice: true };
    expect(recordingOf([{ ...file, name: "song.ogg" }, file])).toBe(file);
    expect(recordingOf([{ ...file, name: "song.ogg" }])).toBeUndefined();
    expect(recordingOf(undefined)).toBeUndefined();
  });
});
