// What a scheduler of experiments tells.

export interface Queue {
  readonly name: string;
  readonly cores: number;
  readonly memory_mb: number;
  readonly time_limit_min: number;
  readonly max_slots_per_user: number;
  readonly waiting: number;
  readonly running: number;
  readonly workers: readonly string[];
}

export interface Worker {
  readonly name: string;
  readonly active: boolean;
  readonly beats: boolean;
  readonly cores: number;
  readonly cores_used: number;
  readonly memory_mb: number;
  readonly memory_used_mb: number;
  readonly running: number;
  readonly since: number | null;
  readonly info: string;
  readonly queues: readonly string[];
}

export interface Split {
  readonly index: number;
  readonly status: string;
  readonly range: readonly [number, number] | null;
  readonly worker: string | null;
  readonly attempts: number;
  readonly result: { readonly user_error: string; readonly system_error: string } | null;
}

export interface Block {
  readonly name: string;
  readonly status: string;
  readonly algorithm: string;
  readonly analyzer: boolean;
  readonly queue: string;
  readonly started: number | null;
  readonly ended: number | null;
  readonly mirror: boolean;
  readonly cached: boolean;
  readonly splits: readonly Split[];
}

export interface Experiment {
  readonly id: number;
  readonly name: string;
  readonly status: string;
  readonly failure: string;
  readonly created: number;
  readonly started: number | null;
  readonly ended: number | null;
  readonly blocks: Readonly<Record<string, number>>;
  readonly details?: readonly Block[];
}

export type Results = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
