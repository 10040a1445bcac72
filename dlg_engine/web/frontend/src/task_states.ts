// How tasks and attempts stand: in which tone each state is shown, and by which sign in a map.

import { Tone, TONE_COUNT } from "./states";
import type { Counts } from "./task_types";

/** The tone of each state of a task or attempt, and of each verdict. */
const TONES: Readonly<Record<string, Tone>> = {
  waiting: Tone.Waiting, registered: Tone.Waiting, queued: Tone.Waiting, active: Tone.Running, running: Tone.Running,
  judging: Tone.Gone, done: Tone.Done, passed: Tone.Done, failed: Tone.Failed, rejected: Tone.Skipped,
  blocked: Tone.Cancelled, lost: Tone.Cancelled, cancelled: Tone.Cancelled,
};

/** The order in which verdicts are shown, with what each says. */
export const VERDICTS: readonly (readonly [verdict: string, sign: string, says: string])[] = [
  ["passed", "✓", "passed"],
  ["rejected", "–", "refused by quality control"],
  ["failed", "×", "failed"],
  ["blocked", "!", "blocked: something before it failed"],
  ["judging", "?", "to be judged"],
  ["running", "▸", "running"],
  ["queued", "·", "queued"],
  ["waiting", "", "waiting"],
];

/** The states of tasks, in the order in which they are shown. */
export const STATES = ["done", "failed", "blocked", "active", "waiting"] as const;

/** Return the tone of a state or verdict. */
export const toneOf = (state: string): Tone => TONES[state] ?? Tone.Waiting;

/** Return counts by tone from counts by state. */
export function tonesOf(counts: Counts): number[] {
  const found = new Array<number>(TONE_COUNT).fill(0);
  for (const [state, count] of Object.entries(counts)) found[toneOf(state)] = (found[toneOf(state)] ?? 0) + count;
  return found;
}

/** Return the sum of counts. */
export const total = (counts: Counts): number => Object.values(counts).reduce((sum, some) => sum + some, 0);

/** Return counts in words, in the order in which verdicts are shown: 3 passed, 1 failed. */
export function inWords(counts: Counts): string {
  return VERDICTS.filter(([verdict]) => counts[verdict])
    .map(([verdict]) => `${(counts[verdict] ?? 0).toLocaleString("en")} ${verdict}`)
    .join(", ");
}

/** Return what a level of messages is called. */
export function levelName(level: number): string {
  if (level >= 50) return "critical";
  if (level >= 40) return "error";
  if (level >= 30) return "warning";
  return level >= 20 ? "info" : "debug";
}
