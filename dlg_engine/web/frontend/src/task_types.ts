// What a database of tasks tells.

export type Counts = Readonly<Record<string, number>>;
export type Metadata = Readonly<Record<string, unknown>>;

export interface About {
  readonly database: string;
  readonly store: string;
  readonly now: number;
  readonly tasks: Counts;
}

export interface Job {
  readonly job: string;
  readonly namespace: string;
  readonly first: number;
  readonly roots: number;
  readonly tasks: number;
  readonly created: number;
  readonly states: Counts;
}

export interface TaskRow {
  readonly id: number;
  readonly parent: number | null;
  readonly name: string;
  readonly type: string;
  readonly job: string;
  readonly namespace: string;
  readonly state: string;
  readonly verdict: string;
  readonly created: number;
  readonly attempts: number;
  readonly below: Counts;
}

export interface TaskPage {
  readonly tasks: readonly TaskRow[];
  readonly total: number;
  readonly next: number | null;
}

export interface Attempt {
  readonly id: number;
  readonly state: string;
  readonly worker: string;
  readonly host: string;
  readonly queued: number | null;
  readonly started: number | null;
  readonly heartbeat: number | null;
  readonly lease_until: number | null;
  readonly ended: number | null;
  readonly verdict: boolean | null;
  readonly error: string;
  readonly wall_s: number | null;
  readonly cpu_s: number | null;
  readonly metadata: Metadata;
}

export interface Version {
  readonly id: number;
  readonly attempt: number;
  readonly created: number;
  readonly size: number;
  readonly md5: string;
  readonly content_hash: string;
  readonly passed: boolean | null;
  readonly metadata: Metadata;
}

export interface Product {
  readonly id: number;
  readonly semantic: string;
  readonly directory: string;
  readonly filename: string;
  readonly mime: string;
  readonly passed: boolean;
  readonly versions: readonly Version[];
}

export interface Neighbour {
  readonly task: number;
  readonly name: string;
  readonly type: string;
  readonly state: string;
  readonly by: string;
  readonly there: boolean;
}

export interface TaskDetail {
  readonly task: TaskRow;
  readonly above: readonly TaskRow[];
  readonly directory: string;
  readonly configured: boolean;
  readonly missing: number;
  readonly tries: number;
  readonly not_before: number | null;
  readonly metadata: Metadata;
  readonly attempts: readonly Attempt[];
  readonly products: readonly Product[];
  readonly needs: readonly Neighbour[];
  readonly followers: readonly Neighbour[];
  readonly cut: boolean;
}

export interface Underway {
  readonly id: number;
  readonly task: number;
  readonly name: string;
  readonly type: string;
  readonly job: string;
  readonly state: string;
  readonly worker: string;
  readonly queued: number | null;
  readonly started: number | null;
  readonly ended: number | null;
  readonly stalled: boolean;
}

export interface Now {
  readonly running: readonly Underway[];
  readonly queued: number;
  readonly recent: readonly Underway[];
  readonly cut: boolean;
}

export interface TypeProgress {
  readonly type: string;
  readonly tasks: number;
  readonly states: Counts;
  readonly attempts: Counts;
  readonly stalled: number;
}

export interface TimelineSpan {
  readonly attempt: number;
  readonly task: number;
  readonly worker: number;
  readonly type: number;
  readonly started: number;
  readonly ended: number | null;
  readonly state: string;
}

export interface Timeline {
  readonly workers: readonly string[];
  readonly types: readonly string[];
  readonly spans: readonly TimelineSpan[];
  readonly next: number | null;
}

export interface Keyword {
  readonly name: string;
  readonly numeric: boolean;
  readonly values: number;
  readonly verdict: boolean;
}

export interface Axis {
  readonly name: string;
  readonly labels: readonly string[];
  readonly edges: readonly number[];
  readonly log: boolean;
}

export interface Cell {
  readonly x: number;
  readonly y: number;
  readonly verdicts: Counts;
  readonly task: number;
}

export interface VerdictMap {
  readonly x: Axis;
  readonly y: Axis;
  readonly cells: readonly Cell[];
  readonly tasks: number;
  readonly left_out: number;
}

export interface Tiles {
  readonly tiles: readonly { readonly task: number; readonly name: string; readonly verdict: string }[];
  readonly next: number | null;
}

export interface Message {
  readonly id: number;
  readonly time: number;
  readonly level: number;
  readonly attempt: number | null;
  readonly task: number | null;
  readonly name: string;
  readonly text: string;
}

export interface LogPage {
  readonly messages: readonly Message[];
  readonly next: number | null;
}
