import { describe, expect, it } from "vitest";
import { age, bytes, count, duration, nodeName, percent, shorten, shortPaths } from "../format";

describe("what people read", () => {
  it("sizes", () => {
    expect([0, 999, 1000, 48213, 64e9, null].map(bytes)).toEqual(["0 B", "999 B", "1.0 kB", "48.2 kB", "64.0 GB", "–"]);
  });
  it("times", () => {
    expect([0.012, 3.44, 42, 306, 7620, 273600, undefined].map(duration)).toEqual([
      "12 ms", "3.4 s", "42 s", "5 min 06 s", "2 h 07 min", "3 d 4 h", "–"]);
    expect([0.3, 12.7].map(age)).toEqual(["just now", "12 s ago"]);
  });
  it("shares, which are whole only when all is done", () => {
    expect([[0, 5], [1, 1000], [999, 1000], [7, 7], [0, 0]].map(([a = 0, b = 0]) => percent(a, b))).toEqual([
      "0 %", "< 1 %", "99 %", "100 %", "–"]);
  });
  it("counts and names", () => {
    expect([count(1, "drop"), count(2000, "drop")]).toEqual(["1 drop", "2,000 drops"]);
    expect(shorten("calibrate_channel_17", 12)).toBe("calibr…el_17");
    expect(shortPaths('File "/usr/lib/python/site/dlg/drops/run.py", line 4')).toBe(
      'File "…/dlg/drops/run.py", line 4');
    expect(shortPaths('File "/a/b.py" and "<func_code>"')).toBe('File "/a/b.py" and "<func_code>"');
    expect(nodeName("10.0.0.1:8000:5555:6666")).toBe("10.0.0.1:8000");
  });
});
