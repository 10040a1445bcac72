import { describe, expect, it } from "vitest";
import { inWords, levelName, tonesOf, total } from "../task_states";
import { EVERYWHERE, readWhere, scopeOf, writeWhere, type Where } from "../where";

const TABS = ["tree", "map"];

describe("what a page shows", () => {
  it("is the same when it is read from its address", () => {
    const all: Where[] = [
      EVERYWHERE,
      { tab: "map", job: "transits & <b>", namespace: "run 1", task: 17 },
      { tab: "tree", job: "", namespace: "", task: null },
    ];
    for (const where of all) expect(readWhere(writeWhere(where), TABS)).toEqual(where);
  });
  it("is everything where an address says nothing, or nonsense", () => {
    for (const hash of ["", "#", "#tab=alert(1)&task=-3", "#task=1e3"]) {
      expect(readWhere(hash, TABS)).toEqual(EVERYWHERE);
    }
  });
  it("is asked for without what is empty", () => {
    const where = { ...EVERYWHERE, job: "" };
    expect(scopeOf(where, { type: "", x: "task:radius", before: null }).toString()).toBe("job=&x=task%3Aradius");
  });
});

describe("states", () => {
  it("are counted by tone", () => {
    expect(tonesOf({ done: 2, passed: 1, failed: 4, blocked: 1, nonsense: 1 })).toEqual([1, 0, 3, 4, 0, 1, 0]);
    expect(total({ done: 2, failed: 4 })).toBe(6);
  });
  it("are told in one order", () => {
    expect(inWords({ failed: 1, passed: 1200, waiting: 0 })).toBe("1,200 passed, 1 failed");
  });
  it("of messages have names", () => {
    expect([10, 20, 35, 40, 60].map(levelName)).toEqual(["debug", "info", "warning", "error", "critical"]);
  });
});
