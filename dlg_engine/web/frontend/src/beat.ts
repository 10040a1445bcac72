// The page of a scheduler of experiments: its workers and queues, and how experiments stand.

import { follow, get, inWords, send, tellMishaps } from "./api";
import type { Block, Experiment, Queue, Results, Split, Worker } from "./beat_types";
import { confirm } from "./dialogs";
import { arrowKeys, byId, make, refill, say, throttled, type Child } from "./dom";
import { age, bytes, clock, count, duration, number } from "./format";
import { Tone } from "./states";

const BASE = "api/v1/beat";
const AT_MOST_EVERY_MS = 250;
const MEGABYTE = 1 << 20;

const TONES: Readonly<Record<string, Tone>> = {
  pending: Tone.Waiting, queued: Tone.Waiting, scheduled: Tone.Waiting, assigned: Tone.Running,
  running: Tone.Running, processing: Tone.Running, done: Tone.Done, completed: Tone.Done,
  failed: Tone.Failed, cancelling: Tone.Cancelled, cancelled: Tone.Cancelled,
};

type Order = readonly [verb: string, what: string, method: "POST" | "DELETE", rest: string];

const CANCEL: Order = ["Cancel", "Its workers stop; what other experiments wait for goes on.", "POST", "/cancel"];
const AGAIN: Order = ["Schedule", "Blocks whose results are in the cache are not run again.", "POST", "/schedule"];
const DELETE: Order = ["Delete", "It is forgotten; its results stay in the cache.", "DELETE", ""];

/** What can be done with an experiment, by its state. */
const ORDERS: Readonly<Record<string, readonly Order[]>> = {
  pending: [AGAIN, DELETE], failed: [AGAIN, DELETE], done: [DELETE], scheduled: [CANCEL], running: [CANCEL],
};

class Page {
  private limit = 100;
  private shown: number | null = null;
  private readonly load = throttled(() => void this.reload(), AT_MOST_EVERY_MS);

  async start(): Promise<void> {
    tellMishaps(complain);
    arrowKeys(byId("experiments-body"), "button.name");
    byId("more").addEventListener("click", () => {
      this.limit = Math.min(1000, this.limit + 300);
      this.load();
    });
    byId("close").addEventListener("click", () => this.show(null));
    byId("submit").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
    await follow(`${BASE}/events`, {
      heard: () => undefined,
      event: () => this.load(),
      done: () => false,
      connected: (yes, again_ms) => {
        byId("status").classList.toggle("lost", !yes);
        say(byId("status"), yes ? "live" : `Connection lost, trying again in ${duration(again_ms / 1000)}`);
      },
      refused: (error) => complain(error.message),
    }, new AbortController().signal);
  }

  private async reload(): Promise<void> {
    const [about, queues, workers, experiments] = await Promise.all([
      get<{ name: string; workers: string }>(BASE),
      get<{ queues: Queue[] }>(`${BASE}/queues`),
      get<{ workers: Worker[] }>(`${BASE}/workers`),
      get<{ experiments: Experiment[]; next: number | null }>(`${BASE}/experiments?limit=${this.limit}`),
    ]);
    say(byId("name"), about.name);
    say(byId("address"), `workers connect to ${about.workers}`);
    const alive = workers.workers.filter((one) => one.active);
    say(byId("workers-note"), `${number(alive.length)} alive`);
    fill("workers", workers.workers.map(card));
    fill("queues", queues.queues.map(queueRow));
    this.showExperiments(experiments.experiments);
    byId("more").hidden = experiments.next === null || this.limit >= 1000;
    if (this.shown !== null) await this.showOne(this.shown);
    document.body.classList.add("ready");
  }

  private showExperiments(all: readonly Experiment[]): void {
    const running = all.filter((one) => one.status === "running").length;
    say(byId("experiments-note"), `${count(all.length, "experiment")}, ${number(running)} running`);
    const active = document.activeElement;
    const focused = active?.getAttribute("data-of");
    const what = active?.getAttribute("data-what") ?? "";
    fill("experiments", all.map((one) => this.row(one)), "experiments-body");
    if (focused) {
      byId("experiments-body").querySelector<HTMLElement>(`[data-of="${focused}"][data-what="${what}"]`)?.focus();
    }
  }

  private row(one: Experiment): HTMLTableRowElement {
    const total = Object.values(one.blocks).reduce((sum, some) => sum + some, 0);
    const name = make("button", {
      type: "button", class: "name link", "data-of": one.id, "data-what": "name", onclick: () => this.show(one.id),
    }, one.name);
    const until = one.ended ?? Date.now() / 1000;
    return make(
      "tr", {},
      make("th", { scope: "row" }, name),
      make("td", {}, badge(one.status)),
      make("td", {}, `${number(one.blocks["done"] ?? 0)} of ${number(total)} done`),
      make("td", { title: `created at ${clock(one.created)}` }, age(Date.now() / 1000 - one.created)),
      make("td", {}, one.started ? duration(until - one.started) : "–"),
      make("td", { class: "actions" }, ...(ORDERS[one.status] ?? []).map((order) => this.button(one, order))),
    );
  }

  private button(one: Experiment, order: Order): HTMLElement {
    const [verb] = order;
    return make("button", {
      type: "button", "data-of": one.id, "data-what": verb, "aria-label": `${verb} ${one.name}`,
      onclick: () => void this.order(one, order),
    }, verb);
  }

  private async order(one: Experiment, [verb, what, method, rest]: Order): Promise<void> {
    if (!(await confirm(`${verb} ${one.name}?`, what, `${verb} it`))) return;
    try {
      await send(method, `${BASE}/experiments/${one.id}${rest}`);
      if (method === "DELETE" && this.shown === one.id) this.show(null);
    } catch (error) {
      complain(inWords(error));
    }
    this.load();
  }

  private async submit(): Promise<void> {
    const field = byId<HTMLInputElement>("new-name");
    try {
      await send("POST", `${BASE}/experiments?name=${encodeURIComponent(field.value.trim())}`);
      field.value = "";
      byId("complaint").hidden = true;
    } catch (error) {
      complain(inWords(error));
    }
  }

  // -- one experiment ------------------------------------------------------------------------

  private show(id: number | null): void {
    this.shown = id;
    byId("one").hidden = id === null;
    if (id !== null) void this.showOne(id).then(() => byId("h-one").focus());
  }

  private async showOne(id: number): Promise<void> {
    const one = await get<Experiment>(`${BASE}/experiments/${id}`);
    const found = one.status === "done" ? await get<{ results: Results }>(`${BASE}/experiments/${id}/results`) : null;
    if (this.shown !== id) return;
    say(byId("h-one"), one.name);
    byId("one-failure").hidden = !one.failure;
    say(byId("one-failure"), one.failure);
    refill(byId("blocks-body"), ...(one.details ?? []).map(blockRow));
    refill(byId("results"), ...Object.entries(found?.results ?? {}).map(resultTable));
  }
}

function complain(text: string): void {
  say(byId("complaint-text"), text);
  byId("complaint").hidden = false;
}

/** Show rows or cards, or what is said where there are none. */
function fill(what: string, found: readonly Node[], body = what === "workers" ? what : `${what}-body`): void {
  refill(byId(body), ...found);
  byId(`${what}-empty`).hidden = found.length > 0;
}

const badge = (state: string): HTMLElement =>
  make("span", { class: `badge tone-${TONES[state] ?? Tone.Waiting}` }, state);

function card(one: Worker): HTMLLIElement {
  const [word, tone] = one.active ? ["alive", Tone.Done] : ["gone", Tone.Failed];
  const alive = make("span", { class: `badge tone-${tone}` }, word);
  const inside: Child[] = [
    meter("Cores", one.cores_used, one.cores, `${number(one.cores_used)} of ${number(one.cores)} given away`),
  ];
  if (one.memory_mb) {
    const told = `${bytes(one.memory_used_mb * MEGABYTE)} of ${bytes(one.memory_mb * MEGABYTE)}`;
    inside.push(meter("Memory", one.memory_used_mb, one.memory_mb, told));
  }
  const serves = one.queues.join(", ") || "no queue";
  inside.push(make("p", { class: "small" }, `${count(one.running, "split")}, for ${serves}`));
  if (one.info) inside.push(make("p", { class: "small" }, one.info));
  return make("li", { class: one.active ? "card" : "card lost" }, make("h4", {}, one.name, alive), ...inside);
}

function meter(name: string, used: number, whole: number, told: string): HTMLElement {
  const part = whole ? Math.min(1, Math.max(0, used / whole)) : 0;
  const inner = make("i");
  inner.style.width = `${(100 * part).toFixed(1)}%`;
  return make("p", { class: "meter" }, make("span", {}, name),
    make("span", { class: "gauge", "aria-hidden": "true" }, inner), make("span", { class: "told" }, told));
}

function queueRow(one: Queue): HTMLTableRowElement {
  const limits = [count(one.cores, "core")];
  if (one.memory_mb) limits.push(bytes(one.memory_mb * MEGABYTE));
  if (one.time_limit_min) limits.push(duration(one.time_limit_min * 60));
  if (one.max_slots_per_user) limits.push(`${number(one.max_slots_per_user)} a user`);
  return make(
    "tr", {},
    make("th", { scope: "row" }, one.name),
    make("td", { class: "figure" }, number(one.waiting)),
    make("td", { class: "figure" }, number(one.running)),
    make("td", {}, limits.join(", ")),
    make("td", {}, one.workers.join(", ") || "none"),
  );
}

function blockRow(one: Block): HTMLTableRowElement {
  const until = one.ended ?? Date.now() / 1000;
  const note = one.cached ? " from the cache" : one.mirror ? " by another experiment" : "";
  return make(
    "tr", {},
    make("th", { scope: "row" }, one.name),
    make("td", {}, badge(one.status), note),
    make("td", {}, one.algorithm),
    make("td", {}, one.queue),
    make("td", {}, ...one.splits.map(splitNote)),
    make("td", {}, one.started ? duration(until - one.started) : "–"),
  );
}

function splitNote(one: Split): HTMLElement {
  const range = one.range ? `${one.range[0]} to ${one.range[1]}: ` : "";
  const where = one.worker ? ` on ${one.worker}` : "";
  const again = one.attempts > 1 ? `, attempt ${one.attempts}` : "";
  const error = one.result?.user_error || one.result?.system_error || "";
  return make("div", {}, `${range}${one.status}${where}${again}`, error && make("pre", {}, error));
}

function resultTable([name, values]: [string, Readonly<Record<string, unknown>>]): HTMLElement {
  const rows = Object.entries(values).map(([key, value]) =>
    make("tr", {}, make("th", { scope: "row" }, key), make("td", {}, JSON.stringify(value))));
  return make("table", { class: "results" }, make("caption", {}, `Results of ${name}`), make("tbody", {}, ...rows));
}

void new Page().start();
