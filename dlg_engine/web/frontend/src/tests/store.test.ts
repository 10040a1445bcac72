import { describe, expect, it } from "vitest";
import { TONE_COUNT } from "../states";
import { leadingTone, Store } from "../store";

describe("a store", () => {
  it("counts drops by tone and by group, and says which rows look different", () => {
    const store = new Store(4, [0, 1, 1, 0], 2);
    expect(store.apply([[0, 2, null, 10], [1, 0, 1, 11]])).toEqual([0, 1]);
    expect(store.apply([[1, 0, 1, 12]])).toEqual([]);
    expect([...store.total]).toEqual([2, 1, 1, 0, 0, 0, 0]);
    expect(store.inGroup(1, 1)).toBe(1);
    expect(store.ended).toBe(1);
    store.apply([[1, 2, 2, 13], [2, 3, 3, 13], [3, 7, null, 13]]);
    expect(store.ended).toBe(4);
    expect([...store.time]).toEqual([10, 13, 13, 13]);
  });
  it("leaves out rows that it does not have", () => {
    expect(new Store(1, [0], 1).apply([[5, 2, null, 1], [-1, 2, null, 1]])).toEqual([]);
  });
  it("keeps its sums right over any changes", () => {
    const store = new Store(50, Array.from({ length: 50 }, (_, row) => row % 3), 3);
    let seed = 7;
    const next = (most: number): number => (seed = (seed * 16807) % 2147483647) % most;
    for (let k = 0; k < 2000; k += 1) store.apply([[next(50), next(8), next(6), k]]);
    const sum = (counts: ArrayLike<number>): number => Array.from(counts).reduce((a, b) => a + b, 0);
    expect(sum(store.total)).toBe(50);
    expect(sum(store.histogram)).toBe(50);
    for (let tone = 0; tone < TONE_COUNT; tone += 1) {
      const inGroups = [0, 1, 2].map((group) => store.inGroup(group, tone));
      expect(sum(inGroups)).toBe(store.total[tone]);
    }
  });
});

describe("the tone of a group", () => {
  it("is failed if any drop is, and running while it is on its way", () => {
    expect(leadingTone([5, 1, 3, 1, 0, 0, 0], 0)).toBe(3);
    expect(leadingTone([5, 1, 3, 0, 0, 0, 0], 0)).toBe(1);
    expect(leadingTone([5, 0, 3, 0, 0, 0, 0], 0)).toBe(1);
    expect(leadingTone([5, 0, 0, 0, 0, 0, 0], 0)).toBe(0);
    expect(leadingTone([0, 0, 3, 0, 4, 0, 0], 0)).toBe(4);
    expect(leadingTone([9, 9, 9, 9, 9, 9, 9, 0, 0, 3, 0, 0, 0, 0], 7)).toBe(2);
  });
});
