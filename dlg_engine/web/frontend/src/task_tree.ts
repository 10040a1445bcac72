// The tree of jobs and tasks, one level at a time; or, where something is looked for, a list.

import { get } from "./api";
import { arrowKeys, byId, make, refill, say, type Child } from "./dom";
import { age, clock, count, number } from "./format";
import { fillBar } from "./groups";
import { tonesOf, toneOf, total } from "./task_states";
import type { Counts, Job, TaskPage, TaskRow } from "./task_types";
import { scopeOf, type Where } from "./where";

const LIMIT = 100;
const MOST = 1000;
/** The server counts so far and no further. */
const COUNTED = 10_000;

const keyOf = (job: string, namespace: string): string => `job ${job}\n${namespace}`;

type Choose = (task: number) => void;

interface Branch {
  limit: number;
}

export const badge = (state: string): HTMLElement =>
  make("span", { class: `badge tone-${toneOf(state)}` }, state);

/** Return what a task is called: by its name, or where it has none by its type. */
export const titleOf = (task: { readonly name: string; readonly type: string }): string => task.name || task.type;

/** The tree, or the list. */
export class TaskTree {
  private readonly body = byId<HTMLTableSectionElement>("tree-body");
  private readonly open = new Map<string, Branch>();
  /** The one task that a branch has, where it has one. */
  private readonly roots = new Map<string, number>();
  private readonly shown = new Set<string>();
  /** Where the pages of a list begin, up to the one that is shown. */
  private starts: number[] = [0];
  private where: Where | null = null;
  private chosen: number | null = null;
  private asked = 0;
  state = "";

  constructor(private readonly choose: Choose, private readonly changed: () => void) {
    arrowKeys(this.body, "button.link");
    byId("find").addEventListener("submit", (event) => event.preventDefault());
    for (const name of ["search", "find-state", "find-type"]) {
      byId(name).addEventListener("input", () => {
        this.starts = [0];
        this.changed();
      });
    }
    byId("tree-before").addEventListener("click", () => this.turn(() => this.starts.pop()));
    byId("tree-after").addEventListener("click", () => this.turn(() => this.starts.push(this.next ?? 0)));
  }

  private next: number | null = null;

  private turn(step: () => void): void {
    step();
    this.changed();
  }

  private value(name: string): string {
    return byId<HTMLInputElement | HTMLSelectElement>(name).value.trim();
  }

  /** Show tasks in one state only; "" for any. */
  filter(state: string): void {
    byId<HTMLSelectElement>("find-state").value = state;
    this.starts = [0];
  }

  async load(where: Where): Promise<void> {
    if (this.where && (this.where.job !== where.job || this.where.namespace !== where.namespace)) this.starts = [0];
    this.where = where;
    this.chosen = where.task;
    this.state = this.value("find-state");
    const sought = { text: this.value("search"), state: this.state, type: this.value("find-type") };
    this.asked += 1;
    const asked = this.asked;
    const listed = Boolean(sought.text || sought.state || sought.type);
    const rows = listed ? await this.list(sought) : await this.tree();
    if (asked !== this.asked) return; // somebody has asked for something else since
    byId("tree-before").hidden = !listed || this.starts.length < 2;
    byId("tree-after").hidden = !listed || this.next === null;
    this.show(rows);
  }

  private show(rows: readonly HTMLElement[]): void {
    const focused = document.activeElement?.getAttribute("data-key");
    refill(this.body, ...rows);
    if (focused) this.body.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  // -- a list --------------------------------------------------------------------------------

  private async list(sought: Readonly<Record<string, string>>): Promise<HTMLElement[]> {
    const where = this.where;
    if (!where) return [];
    const after = this.starts.at(-1) ?? 0;
    const said = scopeOf(where, { ...sought, limit: LIMIT, after });
    const page = await get<TaskPage>(`api/v1/tasks?${said.toString()}`);
    this.next = page.next;
    const many = page.total > COUNTED ? `more than ${number(COUNTED)} tasks` : count(page.total, "task");
    const from = (this.starts.length - 1) * LIMIT;
    const part = page.total > page.tasks.length ? `, ${number(from + 1)} to ${number(from + page.tasks.length)}` : "";
    say(byId("tree-note"), page.total ? `${many}${part}` : "There is no such task.");
    return page.tasks.map((task) => this.row(task, 0, ""));
  }

  // -- the tree ------------------------------------------------------------------------------

  private async tree(): Promise<HTMLElement[]> {
    const where = this.where;
    if (!where) return [];
    this.next = null;
    if (where.job !== null) {
      say(byId("tree-note"), "");
      const key = keyOf(where.job, where.namespace ?? "");
      const rows = await this.branch(key, scopeOf(where, { parent: 0 }), 0, true);
      const only = this.roots.get(key);
      if (only === undefined || this.shown.has(key)) return rows;
      this.shown.add(key); // opened once; who closes it finds it closed
      this.open.set(`task ${only}`, { limit: LIMIT });
      return this.branch(key, scopeOf(where, { parent: 0 }), 0, true);
    }
    const limit = this.open.get("jobs")?.limit ?? LIMIT;
    const page = await get<{ jobs: Job[]; next: number | null }>(`api/v1/jobs?limit=${limit}`);
    const some = page.next === null ? "" : ", the newest";
    say(byId("tree-note"), page.jobs.length ? `${count(page.jobs.length, "job")}${some}`
      : "There are no tasks yet: dlg tasks submit JOB makes some.");
    const parts = await Promise.all(page.jobs.map(async (job) => [this.job(job), ...(await this.below(job))]));
    return [...parts.flat(), ...(page.next === null ? [] : [this.more("jobs", limit, 0, "jobs")])];
  }

  private async below(job: Job): Promise<HTMLElement[]> {
    const key = keyOf(job.job, job.namespace);
    if (!this.open.has(key)) return [];
    // Where all is below one task, that says nothing the job does not say.
    if (job.roots === 1) return this.branch(key, new URLSearchParams({ parent: String(job.first) }), 1);
    const said = new URLSearchParams({ job: job.job, namespace: job.namespace, parent: "0" });
    return this.branch(key, said, 1);
  }

  /** Return the rows of one level, with those of all that is open below it. */
  private async branch(
    key: string, said: URLSearchParams, depth: number, always = false,
  ): Promise<HTMLElement[]> {
    const limit = this.open.get(key)?.limit ?? LIMIT;
    if (!always && !this.open.has(key)) return [];
    said.set("limit", String(limit));
    const page = await get<TaskPage>(`api/v1/tasks?${said.toString()}`);
    const [only] = page.tasks;
    if (only && page.total === 1) this.roots.set(key, only.id);
    const parts = await Promise.all(page.tasks.map(async (task) => {
      const own = `task ${task.id}`;
      const inside = await this.branch(own, new URLSearchParams({ parent: String(task.id) }), depth + 1);
      return [this.row(task, depth, own), ...inside];
    }));
    return [...parts.flat(), ...(page.next === null ? [] : [this.more(key, limit, depth, "tasks")])];
  }

  private fold(key: string, title: string): HTMLElement {
    const is = this.open.has(key);
    return make("button", {
      type: "button", class: "fold", "data-key": `fold ${key}`, "aria-expanded": String(is),
      "aria-label": `${is ? "Close" : "Open"} ${title}`,
      onclick: () => {
        if (!this.open.delete(key)) this.open.set(key, { limit: LIMIT });
        this.changed();
      },
    }, is ? "▼" : "▶");
  }

  private job(job: Job): HTMLElement {
    const title = job.job || "without a job";
    const key = keyOf(job.job, job.namespace);
    const link = job.roots === 1 && make("button", {
      type: "button", class: "link", "data-key": `task ${job.first}`, onclick: () => this.choose(job.first),
    }, title);
    const name = make("span", { class: "branch" }, this.fold(key, title), link || make("strong", {}, title),
      job.namespace && make("span", { class: "number" }, job.namespace));
    return make("tr", {},
      make("th", { scope: "row" }, name), make("td", {}, jobBadge(job.states)),
      make("td", {}), make("td", {}), make("td", { class: "below" }, ...share(job.states, "task")), made(job.created));
  }

  private row(task: TaskRow, depth: number, key: string): HTMLElement {
    const title = titleOf(task);
    const inside = total(task.below);
    const link = make("button", {
      type: "button", class: "link", "data-key": `task ${task.id}`, onclick: () => this.choose(task.id),
    }, title);
    const name = make("span", { class: `branch depth-${Math.min(5, depth)}` },
      key && inside ? this.fold(key, title) : key && make("span", { class: "fold" }), link,
      make("span", { class: "number" }, key ? `${task.id}` : `${task.id}${task.job ? `, ${task.job}` : ""}`));
    return make("tr", { class: task.id === this.chosen ? "chosen" : null },
      make("th", { scope: "row" }, name), make("td", {}, badge(task.verdict)), make("td", {}, task.type),
      make("td", { class: "figure" }, task.attempts ? number(task.attempts) : "–"),
      make("td", { class: "below" }, ...(inside ? share(task.below, "task") : [])), made(task.created));
  }

  private more(key: string, limit: number, depth: number, what: string): HTMLElement {
    const open = make("button", {
      type: "button", "data-key": `more ${key}`,
      onclick: () => {
        this.open.set(key, { limit: Math.min(MOST, limit + 300) });
        this.changed();
      },
    }, `Show more ${what}`);
    const far = make("span", { class: "hint" }, `There are more than ${number(MOST)} ${what}: search for them above.`);
    return make("tr", {}, make("td", { colspan: 6 },
      make("span", { class: `branch depth-${Math.min(5, depth)}` }, limit >= MOST ? far : open)));
  }
}

const made = (created: number): HTMLElement =>
  make("td", { title: `at ${clock(created)}` }, age(Date.now() / 1000 - created));

/** Return how a job stands as a whole. */
function jobBadge(states: Counts): HTMLElement {
  for (const state of ["active", "failed", "waiting"]) if (states[state]) return badge(state);
  return badge(states["blocked"] ? "blocked" : "done");
}

/** Return a bar of counts by state, with how many are done. */
export function share(states: Counts, noun: string): Child[] {
  const bar = make("span", { class: "bar", "aria-hidden": "true" });
  const all = total(states);
  fillBar(bar, tonesOf(states), 0, all);
  const failed = states["failed"] ? `, ${number(states["failed"])} failed` : "";
  return [bar, make("small", {}, `${number(states["done"] ?? 0)} of ${count(all, noun)} done${failed}`)];
}
