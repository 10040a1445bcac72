// Which spans of time share a line of a timeline. Numbers in, numbers out.

export type Span = readonly [row: number, node: number, began: number, ended: number | null, status: number];

export interface Lane {
  readonly node: number;
  /** The first line of the node among all lines, and how many it has. */
  readonly first: number;
  readonly lines: number;
  /** For how long apps ran there, one after the other. */
  readonly busy: number;
  readonly apps: number;
}

export interface Packed {
  readonly lanes: readonly Lane[];
  /** For each span its line. */
  readonly line: Int32Array;
  readonly lines: number;
  readonly begin: number;
  readonly end: number;
}

/** Return spans put into lines, so that those of a line do not overlap; `now` ends what still runs. */
export function pack(spans: readonly Span[], nodes: number, now: number): Packed {
  const order = [...spans.keys()].sort((a, b) => began(spans[a]) - began(spans[b]));
  const line = new Int32Array(spans.length);
  const told = Array.from({ length: nodes }, () => ({ ends: [] as number[], busy: 0, apps: 0 }));
  for (const k of order) {
    const [, node, from, ended] = spans[k] ?? NO_SPAN;
    const here = told[node];
    if (!here) continue;
    const free = here.ends.findIndex((until) => until <= from);
    const at = free < 0 ? here.ends.length : free;
    here.ends[at] = ended ?? now;
    here.busy += Math.max(0, (ended ?? now) - from);
    here.apps += 1;
    line[k] = at;
  }
  const lanes: Lane[] = [];
  let first = 0;
  told.forEach(({ ends, busy, apps }, node) => {
    const lines = Math.max(1, ends.length);
    lanes.push({ node, first, lines, busy, apps });
    first += lines;
  });
  spans.forEach(([, node], k) => (line[k] = (line[k] ?? 0) + (lanes[node]?.first ?? 0)));
  const begin = order.length ? began(spans[order[0] ?? 0]) : now;
  const end = spans.reduce((latest, span) => Math.max(latest, span[3] ?? now), begin);
  return { lanes, line, lines: first, begin, end };
}

const NO_SPAN: Span = [0, -1, 0, 0, 0];
const began = (span: Span | undefined): number => span?.[2] ?? 0;

/** Return where to write times on an axis: about `most` round numbers of seconds from 0 on. */
export function ticks(from: number, to: number, most: number): number[] {
  const width = Math.max(1e-6, to - from) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(width));
  const steps = [1, 2, 5, 10].map((step) => step * power);
  const step = width >= 30 ? minutes(width) : steps.find((one) => one >= width) ?? 10 * power;
  const found: number[] = [];
  for (let k = Math.ceil(from / step); k * step <= to && found.length < 100; k += 1) found.push(k * step);
  return found;
}

function minutes(width: number): number {
  const steps = [60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400];
  return steps.find((one) => one >= width) ?? Math.ceil(width / 86400) * 86400;
}
