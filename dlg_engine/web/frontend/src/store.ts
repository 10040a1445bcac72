// The states of all drops of a session, in arrays by row: a hundred thousand objects would be slow.

import { NO_EXEC, TONE_COUNT, toneOf, type Tone } from "./states";

/** A change as the stream tells it: row, status, state of execution, time. */
export type Change = readonly [number, number, number | null, number];

/** The states of drops, and how many drops of each group are in each tone. */
export class Store {
  readonly status: Uint8Array;
  readonly exec: Uint8Array;
  readonly tone: Uint8Array;
  /** When each drop changed last, in seconds since the epoch; 0 for never. */
  readonly time: Float64Array;
  /** Counts by group and tone: those of group g begin at g * TONE_COUNT. */
  readonly histogram: Uint32Array;
  /** Counts by tone of all drops. */
  readonly total: Uint32Array;
  version = 0;

  constructor(
    readonly size: number,
    private readonly groupOf: ArrayLike<number>,
    readonly groups: number,
  ) {
    this.status = new Uint8Array(size);
    this.exec = new Uint8Array(size).fill(NO_EXEC);
    this.tone = new Uint8Array(size);
    this.time = new Float64Array(size);
    this.histogram = new Uint32Array(groups * TONE_COUNT);
    this.total = new Uint32Array(TONE_COUNT);
    this.total[0] = size;
    for (let row = 0; row < size; row += 1) this.count(row, 0, 1);
  }

  /** Take changes; return the rows whose tone is another one now. */
  apply(changes: readonly Change[]): number[] {
    const changed: number[] = [];
    for (const [row, status, exec, time] of changes) {
      if (row < 0 || row >= this.size) continue;
      this.status[row] = status;
      if (exec !== null) this.exec[row] = exec;
      this.time[row] = time;
      const before = this.tone[row] ?? 0;
      const tone = toneOf(status, this.exec[row]);
      if (tone === before) continue;
      this.tone[row] = tone;
      this.total[before] = (this.total[before] ?? 0) - 1;
      this.total[tone] = (this.total[tone] ?? 0) + 1;
      this.count(row, before, -1);
      this.count(row, tone, 1);
      changed.push(row);
    }
    return changed;
  }

  /** Return how many drops of a group are in a tone. */
  inGroup(group: number, tone: Tone): number {
    return this.histogram[group * TONE_COUNT + tone] ?? 0;
  }

  /** Return how many drops have come to an end. */
  get ended(): number {
    return this.size - (this.total[0] ?? 0) - (this.total[1] ?? 0);
  }

  /** Return the group of a row. */
  group(row: number): number {
    return this.groupOf[row] ?? 0;
  }

  private count(row: number, tone: number, step: number): void {
    const place = this.group(row) * TONE_COUNT + tone;
    this.histogram[place] = (this.histogram[place] ?? 0) + step;
  }
}

/** Return the tone by which a group is coloured: failed if any drop is, running if it is on its way. */
export function leadingTone(counts: ArrayLike<number>, from: number): Tone {
  const of = (tone: Tone): number => counts[from + tone] ?? 0;
  if (of(3) > 0) return 3;
  let best: Tone = 2;
  let ended = 0;
  for (const tone of [2, 4, 5, 6] as Tone[]) {
    ended += of(tone);
    if (of(tone) > of(best)) best = tone;
  }
  if (of(1) > 0 || (of(0) > 0 && ended > 0)) return 1;
  return of(0) > 0 ? 0 : best;
}
