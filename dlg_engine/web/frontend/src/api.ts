// Asking the manager: JSON over fetch, with the token if it wants one.

import { askToken } from "./dialogs";
import { delayBefore, EventParser, type ServerEvent } from "./sse";

const KEY = "dlg-token";
/** A manager says every 15 s that it is still there; after three times that it is not. */
const SILENCE_MS = 45_000;

/** What the manager refused, in its words. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Return what went wrong, in words for the page. */
export function inWords(error: unknown): string {
  if (error instanceof Refused) return error.message;
  return error instanceof TypeError ? "The connection is lost." : String(error);
}

/** Tell what goes wrong where nobody waits for it: the answer to a click. */
export function tellMishaps(tell: (text: string) => void): void {
  window.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    tell(inWords(event.reason));
  });
}

let asking: Promise<void> | null = null;

/** Return the address of something about a session. */
export function sessionPath(id: string, rest = ""): string {
  return `api/v1/sessions/${encodeURIComponent(id)}${rest}`;
}

/** Return what a GET answers; raise `Refused` if it is no good answer. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const answer = await ask(path, signal ? { signal } : {});
  return (await answer.json()) as T;
}

/** Return the text that a GET answers. */
export async function getText(path: string): Promise<string> {
  return (await ask(path, {})).text();
}

/** Return the file that a GET answers. */
export async function getFile(path: string): Promise<Blob> {
  return (await ask(path, {})).blob();
}

/** Change something: POST or DELETE. */
export async function send(method: "POST" | "DELETE", path: string): Promise<void> {
  await ask(path, { method });
}

async function ask(path: string, init: RequestInit, headers: Record<string, string> = {}): Promise<Response> {
  for (;;) {
    const token = sessionStorage.getItem(KEY);
    const sent = { Accept: "application/json", ...headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    const answer = await fetch(path, { ...init, headers: sent, cache: "no-store" });
    if (answer.ok) return answer;
    if (answer.status !== 401) throw new Refused(answer.status, await reason(answer));
    await newToken(token);
  }
}

/** Ask for a token, once however many requests want one; `used` is the one that was refused. */
async function newToken(used: string | null): Promise<void> {
  if (sessionStorage.getItem(KEY) !== used) return;
  asking ??= askToken(used !== null).then((token) => {
    sessionStorage.setItem(KEY, token);
    asking = null;
  });
  await asking;
}

async function reason(answer: Response): Promise<string> {
  try {
    const told = (await answer.json()) as { error?: string };
    return told.error ?? answer.statusText;
  } catch {
    return answer.statusText || `status ${answer.status}`;
  }
}

export interface Follower {
  /** Is told that there is life: an event, or only a sign that somebody is still there. */
  readonly heard: () => void;
  /** Is told each event. */
  readonly event: (event: ServerEvent) => void;
  /** Says, when a stream has ended, whether that was to be and no more is to come. */
  readonly done: () => boolean;
  /** Is told whether there is a connection, and when there is none, after how long it is tried again. */
  readonly connected: (yes: boolean, again_ms: number) => void;
  /** Is told that the manager refuses, for good. */
  readonly refused: (error: Refused) => void;
}

/** Follow a stream of events until it is done, connecting again after the last event that came. */
export async function follow(path: string, follower: Follower, signal: AbortSignal): Promise<void> {
  let last = "";
  let attempt = 0;
  while (!signal.aborted) {
    const watchdog = new Watchdog(SILENCE_MS);
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (last) headers["Last-Event-ID"] = last;
      const answer = await ask(path, { signal: AbortSignal.any([signal, watchdog.signal]) }, headers);
      follower.connected(true, 0);
      attempt = 0;
      const heard = (): void => {
        watchdog.stroke();
        follower.heard();
      };
      for await (const event of events(answer, heard)) {
        if (event.id) last = event.id;
        follower.event(event);
      }
      if (follower.done()) return;
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused && error.status >= 400 && error.status < 500) {
        follower.refused(error);
        return;
      }
    } finally {
      watchdog.end();
    }
    const wait_ms = delayBefore(attempt);
    attempt += 1;
    follower.connected(false, wait_ms);
    await pause(wait_ms, signal);
  }
}

/** Cuts a connection on which nothing has come for a while: its other end may be frozen or gone. */
class Watchdog {
  private readonly controller = new AbortController();
  private timer = 0;

  constructor(private readonly patience_ms: number) {
    this.stroke();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  stroke(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.controller.abort(), this.patience_ms);
  }

  end(): void {
    window.clearTimeout(this.timer);
  }
}

async function* events(answer: Response, heard: () => void): AsyncGenerator<ServerEvent> {
  if (!answer.body) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new EventParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      yield* parser.take(value);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function pause(delay_ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = window.setTimeout(resolve, delay_ms);
    signal.addEventListener("abort", () => {
      window.clearTimeout(timer);
      resolve();
    });
  });
}
