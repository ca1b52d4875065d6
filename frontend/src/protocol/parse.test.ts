import { describe, expect, it } from "vitest";
import { frameBytes, parseFrame } from "./parse";

describe("parseFrame", () => {
  it("reads a frame of the protocol", () => {
    expect(parseFrame('{"type":"ack","id":"message-1","conversationId":"main"}')).toMatchObject({ type: "ack" });
  });
  it.each([
    ["nothing", ""], ["not JSON", "{"], ["a number", "5"], ["null", "null"], ["an unknown type", '{"type":"news"}'],
    ["an inherited name as type", '{"type":"toString"}'], ["a missing field", '{"type":"ack"}'],
    ["a field of a wrong type", '{"type":"stream_chunk","runId":"r","replyTo":"q","conversationId":"c","fromSeq":"1","seq":1,"content":""}'],
    ["null for an object", '{"type":"history","conversationId":"c","messages":null}'],
  ])("drops %s", (_name, data) => expect(parseFrame(data)).toBeNull());
  it("drops binary data", () => expect(parseFrame(new ArrayBuffer(2))).toBeNull());
});

describe("frameBytes", () => {
  it("counts bytes of UTF-8", () => expect(frameBytes({ a: "한" })).toBe(11));
});
