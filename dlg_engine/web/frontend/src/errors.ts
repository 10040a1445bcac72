// What failed, told once: a thousand drops that failed for one reason are one entry.

export interface Failure {
  readonly uid: string;
  readonly name?: string;
  readonly node?: string;
  readonly exception: string;
  readonly stopped?: number;
  readonly elsewhere?: boolean;
}

export interface Reason {
  readonly text: string;
  readonly failures: Failure[];
  /** How many drops were given up because of them. */
  readonly stopped: number;
}

/** Return a message without what differs from drop to drop: numbers, addresses, paths in quotes. */
export function pattern(message: string): string {
  return message
    .replace(/0x[0-9a-f]+/gi, "#")
    .replace(/\d+(\.\d+)?/g, "#")
    .trim();
}

/** Return the reasons for which drops failed, the most frequent first. */
export function reasons(failures: readonly Failure[]): Reason[] {
  const found = new Map<string, Failure[]>();
  for (const failure of failures) {
    const key = pattern(failure.exception || "no reason was given");
    const alike = found.get(key);
    if (alike) alike.push(failure);
    else found.set(key, [failure]);
  }
  return [...found.values()]
    .map((alike) => ({
      text: alike[0]?.exception || "no reason was given",
      failures: alike,
      stopped: alike.reduce((sum, failure) => sum + (failure.stopped ?? 0), 0),
    }))
    .sort((a, b) => b.failures.length - a.failures.length);
}

/** Of more failures than this the server names only so many. */
const MOST_TOLD = 100;

/** Return one sentence for all reasons; `failed` is how many drops are in error, whatever made them so. */
export function headline(found: readonly Reason[], failed: number): string {
  const own = found.reduce((sum, reason) => sum + reason.failures.length, 0);
  if (!own) return `${counted(failed)} failed`;
  const many = own >= MOST_TOLD ? "At least " : "";
  const alike = own === 1 ? "" : found.length === 1 ? ", all for the same reason" : `, for ${found.length} reasons`;
  const rest = failed - own;
  const more = rest > 0 && !many ? `; ${rest.toLocaleString("en")} more could not be made` : "";
  return `${many}${counted(own)} failed${alike}${more}`;
}

const counted = (n: number): string => (n === 1 ? "1 drop" : `${n.toLocaleString("en")} drops`);
