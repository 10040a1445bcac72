import { describe, expect, it } from "vitest";
import {
  COLOURS, FILTERS, NO_EXEC, sessionTone, Tone, TONE_COUNT, TONE_NAMES, TONE_ORDER, toneOf, tonesOf,
} from "../states";

describe("tones", () => {
  it("each has a name, a colour in both schemes, a filter and a place", () => {
    for (const list of [TONE_NAMES, COLOURS.light, COLOURS.dark, FILTERS]) expect(list).toHaveLength(TONE_COUNT);
    expect([...TONE_ORDER].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
  it("an app that runs is running though its drop is not written yet", () => {
    expect(toneOf(0, 1)).toBe(Tone.Running);
    expect(toneOf(0, 0)).toBe(Tone.Waiting);
    expect(toneOf(0, NO_EXEC)).toBe(Tone.Waiting);
    expect(toneOf(3, 1)).toBe(Tone.Failed);
  });
  it("counts by name become counts by tone", () => {
    expect(tonesOf({ COMPLETED: 3, ERROR: 1, EXPIRED: 2, DELETED: 1 })).toEqual([0, 0, 3, 1, 0, 0, 3]);
  });
  it("a session that failed is shown as failed", () => {
    expect([3, 4, 5, 6].map(sessionTone)).toEqual([Tone.Running, Tone.Done, Tone.Cancelled, Tone.Failed]);
  });
});
