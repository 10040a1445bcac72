// The page of a database of tasks: jobs, what runs, how far it is, when it ran, who failed, what was said.

import { follow, get, inWords, Refused, send, tellMishaps } from "./api";
import { confirm } from "./dialogs";
import { byId, make, refill, say, throttled } from "./dom";
import { count, duration, number, percent } from "./format";
import { fillBar } from "./groups";
import { tabs } from "./tabs";
import { TaskLogs } from "./task_logs";
import { TaskMap } from "./task_map";
import { showNow, showTypes } from "./task_now";
import { TaskPanel } from "./task_panel";
import { STATES, tonesOf, toneOf, total } from "./task_states";
import { TaskTimeline } from "./task_timeline";
import { TaskTree } from "./task_tree";
import type { About, Counts, Job, TypeProgress } from "./task_types";
import { readWhere, scopeOf, writeWhere, type Where } from "./where";

const AT_MOST_EVERY_MS = 500;
/** How many times as long as an answer has taken a page rests after it. */
const REST = 3;
const TABS = ["tree", "now", "types", "timeline", "map", "log"];
/** The choice of all jobs; every other one is a number in the list. */
const ALL = "";

class Page {
  private where: Where = readWhere(window.location.hash, TABS);
  private jobs: readonly Job[] = [];
  /** Ask again because something has changed, or at once because somebody wants to see something else. */
  private readonly load = throttled(() => void this.reload(), AT_MOST_EVERY_MS);
  private readonly now = throttled(() => void this.reload(true), 0);
  /** When it is asked again after a change: the longer answers take, the more seldom. */
  private rested_ms = 0;
  private timer = 0;
  private busy = false;
  private again: "no" | "changed" | "wanted" = "no";
  private readonly tree = new TaskTree((task) => this.choose(task), () => this.now());
  private readonly timeline = new TaskTimeline((task) => this.choose(task), () => this.now());
  private readonly map = new TaskMap((task) => this.choose(task), () => this.now());
  private readonly logs = new TaskLogs((task) => this.choose(task), complain);
  private readonly panel = new TaskPanel({
    choose: (task) => this.choose(task), messages: (task) => this.messages(task), tell: complain,
  });
  private readonly showTab = tabs(byId("tabs"), (tab) => this.go({ ...this.where, tab }));

  async start(): Promise<void> {
    tellMishaps((text) => complain(text));
    byId("job").addEventListener("change", () => this.chooseJob());
    byId("retry").addEventListener("click", () => void this.retry());
    window.addEventListener("hashchange", () => {
      this.where = readWhere(window.location.hash, TABS);
      this.showTab(this.where.tab);
    });
    document.addEventListener("keydown", (event) => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (event.key !== "/" || typing) return;
      event.preventDefault();
      this.showTab("tree");
      byId("search").focus();
    });
    this.showTab(this.where.tab);
    await follow("api/v1/events", {
      heard: () => undefined,
      event: () => this.load(),
      done: () => false,
      connected: (yes, again_ms) => {
        byId("status").classList.toggle("lost", !yes);
        say(byId("status"), yes ? "live" : `Connection lost, trying again in ${duration(again_ms / 1000)}`);
      },
      refused: complain,
    }, new AbortController().signal);
  }

  /** Show something else, and say so in the address. */
  private go(where: Where): void {
    this.where = where;
    const hash = writeWhere(where);
    if ((window.location.hash || "#") !== hash) window.history.replaceState(null, "", hash);
    this.now();
  }

  private choose(task: number | null): void {
    this.go({ ...this.where, task });
  }

  private messages(task: number): void {
    this.logs.of(task);
    this.showTab("log");
  }

  // -- what is shown -------------------------------------------------------------------------

  /** Ask again for all that is shown: one time after the other, however often it is asked for. */
  private async reload(wanted = false): Promise<void> {
    if (this.busy) {
      this.again = wanted || this.again === "wanted" ? "wanted" : "changed";
      return;
    }
    const early_ms = this.rested_ms - performance.now();
    if (!wanted && early_ms > 0) {
      this.timer ||= window.setTimeout(this.load, early_ms);
      return;
    }
    window.clearTimeout(this.timer);
    this.timer = 0;
    this.busy = true;
    const begun_ms = performance.now();
    try {
      await this.show();
      if (byId("complaint").dataset["passing"]) byId("complaint").hidden = true;
      document.body.classList.add("ready");
    } catch (error) {
      complain(error, true);
    } finally {
      this.busy = false;
      this.rested_ms = performance.now() + REST * (performance.now() - begun_ms);
    }
    const { again } = this;
    this.again = "no";
    if (again === "wanted") this.now();
    else if (again === "changed") this.load();
  }

  private async show(): Promise<void> {
    const { where } = this;
    const [about, jobs, types] = await Promise.all([
      get<About>("api/v1/database"),
      get<{ jobs: Job[] }>("api/v1/jobs?limit=200"),
      get<{ types: TypeProgress[] }>(`api/v1/progress?${scopeOf(where).toString()}`),
    ]);
    say(byId("address"), shortOf(about.database));
    byId("address").title = `${about.database}, files in ${about.store}`;
    this.showJobs(jobs.jobs);
    const names = types.types.map((one) => one.type);
    offer("find-type", names);
    this.overview(types.types);
    await Promise.all([this.view(where, names), this.panel.load(where.task)]);
  }

  private async view(where: Where, types: readonly string[]): Promise<void> {
    const choose = (task: number): void => this.choose(task);
    const views: Readonly<Record<string, () => Promise<unknown>>> = {
      tree: () => this.tree.load(where), now: () => showNow(where, choose), types: () => showTypes(where),
      timeline: () => this.timeline.load(where), map: () => this.map.load(where, types), log: () => this.logs.load(),
    };
    await views[where.tab]?.();
  }

  private overview(types: readonly TypeProgress[]): void {
    const states: Record<string, number> = {};
    for (const [state, some] of types.flatMap((one) => Object.entries(one.states))) {
      states[state] = (states[state] ?? 0) + some;
    }
    const all = total(states);
    const done = states["done"] ?? 0;
    const running = types.reduce((sum, one) => sum + (one.attempts["running"] ?? 0), 0);
    say(byId("done"), `${number(done)} of ${count(all, "task")} done, ${percent(done, all)}`);
    say(byId("elapsed"), running ? `${number(running)} running` : "nothing is running");
    fillBar(byId("bar"), tonesOf(states), 0, all);
    refill(byId("legend"), ...STATES.map((state) => this.chip(state, states)));
    byId("retry").hidden = !states["failed"];
  }

  private chip(state: string, states: Counts): HTMLElement {
    const is = this.tree.state === state;
    return make("button", {
      type: "button", class: "chip", "aria-pressed": String(is),
      onclick: () => {
        this.tree.filter(is ? "" : state);
        this.showTab("tree");
      },
    }, make("span", { class: `dot tone-${toneOf(state)}` }), state, make("b", {}, number(states[state] ?? 0)));
  }

  // -- jobs ----------------------------------------------------------------------------------

  private showJobs(jobs: readonly Job[]): void {
    const select = byId<HTMLSelectElement>("job");
    const same = JSON.stringify(jobs.map((one) => one.first)) === JSON.stringify(this.jobs.map((one) => one.first));
    this.jobs = jobs;
    const here = this.jobs.findIndex((one) => one.job === this.where.job && one.namespace === this.where.namespace);
    if (!same || !select.options.length) {
      const options = jobs.map((one, k) => make("option", { value: k }, titleOf(one)));
      refill(select, make("option", { value: ALL }, "all"), ...options);
    }
    if (document.activeElement !== select) select.value = here < 0 ? ALL : String(here);
  }

  private chooseJob(): void {
    const chosen = this.jobs[Number(byId<HTMLSelectElement>("job").value || -1)];
    this.go({ ...this.where, job: chosen?.job ?? null, namespace: chosen?.namespace ?? null });
  }

  private async retry(): Promise<void> {
    const of = this.where.job === null ? "all jobs" : this.where.job || "tasks without a job";
    const what = "Each gets one more attempt; tasks that are blocked because of them wait again.";
    if (!(await confirm(`Try failed tasks of ${of} again?`, what, "Try them again"))) return;
    await send("POST", `api/v1/retry?${scopeOf(this.where).toString()}`);
    this.load();
  }
}

/** Return what a database is called: a file without its directories. */
const shortOf = (address: string): string => address.replace(/^sqlite:\/\/\/.*\//, "");

const titleOf = (job: Job): string => `${job.job || "without a job"}${job.namespace ? `, ${job.namespace}` : ""}`;

/** Offer names to choose from, and keep what was chosen. */
function offer(id: string, names: readonly string[]): void {
  const select = byId<HTMLSelectElement>(id);
  if ([...select.options].map((option) => option.value).join("\n") === ["", ...names].join("\n")) return;
  const chosen = select.value;
  refill(select, ...["", ...names].map((name) => make("option", { value: name }, name || "any")));
  select.value = names.includes(chosen) ? chosen : "";
}

/** Say what went wrong; what passes goes with the next good answer. */
function complain(error: unknown, passing = false): void {
  const lost = error instanceof TypeError;
  if (passing && lost) return; // the status says that the connection is lost
  say(byId("complaint-text"), error instanceof Refused || lost ? inWords(error) : String(error));
  byId("complaint").hidden = false;
  byId("complaint").dataset["passing"] = passing ? "yes" : "";
}

void new Page().start();
