// What the server answers, as far as the pages use it.

import type { Failure } from "./errors";
import type { Change } from "./store";

export interface Summary {
  readonly sessionId: string;
  readonly status: number;
  readonly drops: number;
  readonly done: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly errors?: readonly Failure[];
  /** How many apps did not have to run, as their results were in a store. */
  readonly reused?: number;
  readonly reason?: string;
  readonly nodes?: readonly string[];
  readonly created?: number | null;
  readonly started?: number | null;
  readonly ended?: number | null;
  readonly version?: number;
}

export interface Group {
  readonly id: number;
  readonly name: string;
  readonly kind: string;
  readonly category: string;
  readonly size: number;
}

/** What is drawn; `rows` are rows of drops, or -1 - g for group g. */
export interface View {
  readonly by: "groups" | "drops";
  readonly drops: number;
  readonly groups: readonly Group[];
  readonly group_of: readonly number[];
  readonly rows: readonly number[];
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly room: readonly [number, number];
  readonly edges: readonly (readonly number[])[];
  readonly labels: readonly string[];
  readonly opened?: number;
  readonly frame?: readonly number[];
}

export interface Changes {
  readonly version: number;
  readonly changes: readonly Change[];
}

export interface ListedDrop {
  readonly row: number;
  readonly oid: string;
  readonly name: string;
  readonly kind: "data" | "app";
  readonly category: string;
  readonly node: string;
  readonly status: number;
  /** Of an app: how far its execution has come. */
  readonly execStatus?: number | null;
}

export interface Drop extends ListedDrop {
  readonly spec: Readonly<Record<string, unknown>>;
  readonly error: { readonly class: string; readonly message: string; readonly traceback: string } | null;
  readonly stopped_by?: string | null;
  /** Of an app: whether it did not have to run. */
  readonly reused?: boolean;
  readonly began?: number | null;
  readonly ended?: number | null;
  readonly size?: number | null;
  readonly dataURL?: string | null;
  readonly links: Readonly<Record<string, readonly string[]>>;
}

export interface Preview {
  readonly kind: "text" | "json" | "image" | "binary" | "none";
  readonly type: string;
  readonly text?: string;
  readonly base64?: string;
  readonly size?: number;
  readonly whole?: boolean;
}

export interface LogLine {
  readonly time: number;
  readonly level: string;
  readonly module?: string;
  readonly message: string;
}

export interface Timeline {
  readonly nodes: readonly string[];
  readonly spans: readonly (readonly [number, number, number, number | null, number])[];
  readonly dropped: number;
}

export interface ClusterNode {
  readonly name: string;
  readonly url?: string;
  readonly island?: string;
  readonly alive: boolean;
  readonly cpus?: number;
  readonly load?: number;
  readonly memory_total?: number;
  readonly memory_used?: number;
  readonly disk_free?: number;
  readonly running?: number;
  readonly sessions?: number;
  readonly since?: number;
}

export interface ClusterState {
  readonly level: "node" | "island" | "master";
  readonly name: string;
  readonly url?: string;
  readonly version?: string;
  /** Whether nothing can be changed: a record of a session that is over. */
  readonly readonly?: boolean;
  readonly islands?: readonly { readonly name: string; readonly url?: string; readonly alive: boolean }[];
  readonly nodes: readonly ClusterNode[];
}
