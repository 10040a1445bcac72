// Numbers, sizes and times as people read them.

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** Return a whole number with its thousands apart. */
export const number = (value: number): string => WHOLE.format(value);

/** Return a number and its noun: 1 drop, 2 drops. */
export const count = (n: number, noun: string): string => `${number(n)} ${noun}${n === 1 ? "" : "s"}`;

const SIZES = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** Return a number of bytes: 12 B, 3.4 MB. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  let rest = value;
  let step = 0;
  while (rest >= 1000 && step < SIZES.length - 1) {
    rest /= 1000;
    step += 1;
  }
  const digits = step === 0 || rest >= 100 ? 0 : 1;
  return `${rest.toFixed(digits)} ${SIZES[step] ?? "B"}`;
}

/** Return a span of time: 12 ms, 3.4 s, 5 min 06 s, 2 h 07 min, 3 d 4 h. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const s = Math.max(0, seconds);
  if (s < 1) return `${Math.round(s * 1000)} ms`;
  if (s < 60) return `${s < 10 ? s.toFixed(1) : Math.floor(s)} s`;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${two((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

/** Return how long ago something was, or "just now". */
export function age(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  return seconds < 1.5 ? "just now" : `${duration(Math.floor(seconds))} ago`;
}

/** Return the time of day of a moment given in seconds since the epoch. */
export function clock(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  return new Date(seconds * 1000).toLocaleTimeString("en-GB");
}

/** Return a share in percent; never 100 % before all is done, nor 0 % once something is. */
export function percent(part: number, whole: number): string {
  if (whole <= 0) return "–";
  if (part >= whole) return "100 %";
  const share = Math.floor((100 * part) / whole);
  return part > 0 && share === 0 ? "< 1 %" : `${share} %`;
}

/** Return a text of at most `most` characters, cut in the middle as ends tell names apart. */
export function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = Math.ceil((most - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (most - 1 - head))}`;
}

/** Return a text in which of the paths of Python files only the last parts are left, as lines are short. */
export function shortPaths(text: string): string {
  return text.replace(/"(?:\/[^"/\n]+)+?((?:\/[^"/\n]+){3}\.py)"/g, '"…$1"');
}

/** Return the name of a node without the ports that are only of use to other nodes. */
export function nodeName(name: string): string {
  const parts = name.split(":");
  return parts.length > 2 ? `${parts[0] ?? ""}:${parts[1] ?? ""}` : name;
}
