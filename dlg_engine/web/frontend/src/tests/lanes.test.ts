import { describe, expect, it } from "vitest";
import { pack, ticks, type Span } from "../lanes";

describe("lines of a timeline", () => {
  it("hold spans that do not overlap, node by node", () => {
    const spans: Span[] = [[0, 1, 0, 4, 2], [1, 1, 2, 6, 2], [2, 1, 5, 7, 2], [3, 0, 1, null, 0]];
    const found = pack(spans, 2, 10);
    expect([...found.line]).toEqual([1, 2, 1, 0]);
    const lanes = found.lanes.map((lane) => [lane.first, lane.lines, lane.apps, lane.busy]);
    expect(lanes).toEqual([[0, 1, 1, 9], [1, 2, 3, 10]]);
    expect([found.begin, found.end, found.lines]).toEqual([0, 10, 3]);
  });
  it("never overlap, whatever the spans", () => {
    let seed = 3;
    const next = (most: number): number => (seed = (seed * 16807) % 2147483647) % most;
    const spans = Array.from({ length: 400 }, (_, row): Span => {
      const began = next(1000);
      return [row, next(3), began, began + 1 + next(90), 2];
    });
    const { line } = pack(spans, 3, 0);
    spans.forEach((a, i) => spans.forEach((b, j) => {
      if (i < j && line[i] === line[j]) expect((a[3] ?? 0) <= b[2] || (b[3] ?? 0) <= a[2]).toBe(true);
    }));
  });
});

describe("an axis", () => {
  it("has round numbers", () => {
    expect(ticks(0, 31, 6)).toEqual([0, 10, 20, 30]);
    expect(ticks(0, 600, 6)).toEqual([0, 120, 240, 360, 480, 600]);
    expect(ticks(2, 3, 5)).toHaveLength(6);
  });
});
