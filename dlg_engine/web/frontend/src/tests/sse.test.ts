import { describe, expect, it } from "vitest";
import { delayBefore, EventParser } from "../sse";

const STREAM = ': still here\n\nevent: changes\nid: 7\ndata: {"a":1}\n\ndata: one\r\ndata: two\r\n\r\nid: 9\n\n';
const FOUND = [
  { name: "changes", id: "7", data: '{"a":1}' },
  { name: "message", id: "", data: "one\ntwo" },
];

describe("events", () => {
  it("are read from a stream; comments and events without data are not", () => {
    expect(new EventParser().take(STREAM)).toEqual(FOUND);
  });
  it("are the same wherever the stream is cut", () => {
    for (let at = 1; at < STREAM.length; at += 1) {
      const parser = new EventParser();
      expect([...parser.take(STREAM.slice(0, at)), ...parser.take(STREAM.slice(at))]).toEqual(FOUND);
    }
  });
  it("wait for their end", () => {
    const parser = new EventParser();
    expect(parser.take("data: half")).toEqual([]);
    expect(parser.take("\n")).toEqual([]);
    expect(parser.take("\n")).toEqual([{ name: "message", id: "", data: "half" }]);
  });
});

describe("connecting again", () => {
  it("waits longer each time, but never long", () => {
    const waits = [0, 1, 2, 3, 20].map(delayBefore);
    expect(waits).toEqual([500, 1000, 2000, 4000, 10_000]);
  });
});
