import { describe, expect, it } from "vitest";
import { headline, reasons, type Failure } from "../errors";

const failures = (...texts: string[]): Failure[] =>
  texts.map((exception, k) => ({ uid: `d${k}`, exception, stopped: 2 }));

describe("reasons", () => {
  it("are the same though numbers in them differ", () => {
    const found = reasons(failures("beam 1 is bad", "disk full", "beam 22 is bad", "beam 3.5 is bad"));
    expect(found.map((reason) => [reason.text, reason.failures.length, reason.stopped])).toEqual([
      ["beam 1 is bad", 3, 6], ["disk full", 1, 2],
    ]);
  });
  it("are told in one sentence", () => {
    const one = reasons(failures(...Array<string>(12).fill("cloudy")));
    expect(headline(one, 12)).toBe("12 drops failed, all for the same reason");
    expect(headline(one, 26)).toBe("12 drops failed, all for the same reason; 14 more could not be made");
    expect(headline(reasons(failures("a", "b")), 2)).toBe("2 drops failed, for 2 reasons");
    expect(headline(reasons(failures("a")), 1)).toBe("1 drop failed");
    expect(headline([], 3)).toBe("3 drops failed");
    expect(headline(reasons(failures(...Array<string>(100).fill("a"))), 900)).toBe(
      "At least 100 drops failed, all for the same reason");
  });
});
