// What states there are, what a page calls them, and in which order and colour it shows them.

/** The states of drops as they travel, by number. */
export const DROP_STATES = [
  "INITIALIZED", "WRITING", "COMPLETED", "ERROR", "EXPIRED", "DELETED", "CANCELLED", "SKIPPED",
] as const;

/** The states of apps being executed, by number. */
export const APP_STATES = ["NOT_RUN", "RUNNING", "FINISHED", "ERROR", "CANCELLED", "SKIPPED"] as const;

/** The states of sessions, by number. */
export const SESSION_STATES = [
  "PRISTINE", "BUILDING", "DEPLOYING", "RUNNING", "FINISHED", "CANCELLED", "FAILED",
] as const;

/** What is shown of a drop: one of few words, each with a colour of its own. */
export const enum Tone {
  Waiting = 0,
  Running = 1,
  Done = 2,
  Failed = 3,
  Skipped = 4,
  Cancelled = 5,
  Gone = 6,
}

export const TONE_COUNT = 7;
export const TONE_NAMES = [
  "waiting", "running", "completed", "failed", "skipped", "cancelled", "expired",
] as const;

/** The order in which tones are shown: what has gone well first, what is to come last. */
export const TONE_ORDER: readonly Tone[] = [
  Tone.Done, Tone.Gone, Tone.Skipped, Tone.Cancelled, Tone.Failed, Tone.Running, Tone.Waiting,
];

/** Colours on light and on dark ground; the style sheet has the same. */
export const COLOURS: Record<"light" | "dark", readonly string[]> = {
  light: ["#b9c4cf", "#2f7fc4", "#2c9a5b", "#cc3526", "#9a6fc9", "#b98212", "#8fb5a0"],
  dark: ["#5b6875", "#57a8ee", "#3fb873", "#f0604f", "#b394e0", "#dba63c", "#6d8f7c"],
};

/** The state by which the server filters, for each tone: of a drop, or of an app's execution. */
export const FILTERS: readonly string[] = [
  "INITIALIZED", "RUNNING", "COMPLETED", "ERROR", "SKIPPED", "CANCELLED", "EXPIRED",
];

const BY_STATUS: readonly Tone[] = [
  Tone.Waiting, Tone.Running, Tone.Done, Tone.Failed, Tone.Gone, Tone.Gone, Tone.Cancelled, Tone.Skipped,
];

/** No state of execution: data, or an app of which nothing is known. */
export const NO_EXEC = 255;

/** Return what is shown of a drop in these states. */
export function toneOf(status: number, exec: number = NO_EXEC): Tone {
  const tone = BY_STATUS[status] ?? Tone.Waiting;
  return tone === Tone.Waiting && exec === 1 ? Tone.Running : tone;
}

/** Return whether a session in this state is over. */
export const isOver = (status: number): boolean => status > 3;

/** Return the tone that fits the state of a session. */
export function sessionTone(status: number): Tone {
  return [Tone.Waiting, Tone.Waiting, Tone.Waiting, Tone.Running, Tone.Done, Tone.Cancelled, Tone.Failed][
    status
  ] ?? Tone.Waiting;
}

/** Return counts by tone from counts by the names of states. */
export function tonesOf(counts: Readonly<Record<string, number>>): number[] {
  const found = new Array<number>(TONE_COUNT).fill(0);
  for (const [name, count] of Object.entries(counts)) {
    const status = (DROP_STATES as readonly string[]).indexOf(name);
    const tone = toneOf(Math.max(0, status));
    found[tone] = (found[tone] ?? 0) + count;
  }
  return found;
}
