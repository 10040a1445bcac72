// The panel of one task: all its attempts and products, what it needs, and trying it again.

import { get, Refused, send } from "./api";
import { confirm } from "./dialogs";
import { byId, make, refill, say, type Child } from "./dom";
import { bytes, clock, count, duration, number, shortPaths } from "./format";
import { hideAll, keep, shownOf, toggle } from "./task_files";
import { badge, titleOf } from "./task_tree";
import type { Attempt, Metadata, Neighbour, Product, TaskDetail, Version } from "./task_types";

export interface Actions {
  readonly choose: (task: number | null) => void;
  readonly messages: (task: number) => void;
  readonly tell: (error: unknown) => void;
}

/** The panel. */
export class TaskPanel {
  private told = "";
  private task: number | null = null;
  private detail: TaskDetail | null = null;

  constructor(private readonly actions: Actions) {
    byId("panel-close").addEventListener("click", () => actions.choose(null));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !document.querySelector("dialog")) actions.choose(null);
    });
  }

  /** Show a task, or none. */
  async load(task: number | null): Promise<void> {
    const opened = task !== this.task;
    this.task = task;
    byId("panel").hidden = task === null;
    if (task === null) return;
    if (opened) hideAll();
    try {
      const detail = await get<TaskDetail>(`api/v1/tasks/${task}`);
      if (this.task !== task) return;
      this.detail = detail;
      this.show(opened);
      if (opened) byId("panel-title").focus();
    } catch (error) {
      if (error instanceof Refused && error.status === 404 && this.task === task) this.actions.choose(null);
      throw error;
    }
  }

  /** Draw it, unless nothing is new. */
  private show(anew: boolean): void {
    const { detail } = this;
    if (!detail) return;
    const told = JSON.stringify(detail);
    if (!anew && told === this.told) return;
    this.told = told;
    this.draw(detail);
  }

  private draw(detail: TaskDetail): void {
    const { task } = detail;
    say(byId("panel-title"), titleOf(task));
    const active = document.activeElement;
    const focused = active?.closest("#panel-body") ? active.getAttribute("data-key") : null;
    refill(byId("panel-body"), ...[
      this.crumbs(detail), this.facts(detail), this.orders(detail),
      section("Attempts", detail.attempts.map((one) => this.attempt(one))),
      section("Products", detail.products.map((one) => this.product(one))),
      this.neighbours("Needs", detail.needs), this.neighbours("Needed by", detail.followers),
      parameters("Metadata", detail.metadata),
      detail.cut ? make("p", { class: "hint" }, "There is more than is shown here.") : null,
    ].filter((part) => part !== null));
    if (focused) byId("panel-body").querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  private link(task: number, text: string): HTMLElement {
    return make("button", {
      type: "button", class: "link", "data-key": `task ${task}`, onclick: () => this.actions.choose(task),
    }, text);
  }

  private crumbs({ task, above }: TaskDetail): HTMLElement {
    const where = `job ${task.job}${task.namespace ? `, ${task.namespace}` : ""}`;
    const parts: Child[] = task.job ? [make("span", {}, where)] : [];
    for (const one of above) parts.push(parts.length ? "›" : null, this.link(one.id, titleOf(one)));
    return make("p", { class: "crumbs" }, ...parts);
  }

  private facts(detail: TaskDetail): HTMLElement {
    const { task } = detail;
    const later = detail.not_before !== null && detail.not_before * 1000 > Date.now();
    return make("dl", { class: "facts" },
      fact("State", badge(task.verdict)), fact("Type", task.type), fact("Number", String(task.id)),
      fact("Attempts", `${number(task.attempts)} of ${number(detail.tries)}`),
      detail.missing ? fact("Waits for", count(detail.missing, "input")) : null,
      detail.configured ? null : fact("Configured", "not yet"),
      later ? fact("Again at", clock(detail.not_before)) : null,
      fact("Made", clock(task.created)),
      detail.directory ? fact("Directory", detail.directory) : null);
  }

  private orders({ task }: TaskDetail): HTMLElement {
    const again = task.state === "failed" && make("button", {
      type: "button", class: "main", "data-key": "retry", onclick: () => void this.retry(task.id, titleOf(task)),
    }, "Try again");
    return make("p", { class: "actions" }, again || null, make("button", {
      type: "button", "data-key": "messages", onclick: () => this.actions.messages(task.id),
    }, "Messages"));
  }

  private async retry(task: number, title: string): Promise<void> {
    const what = "It gets one more attempt; tasks that are blocked because of it wait again.";
    if (!(await confirm(`Try ${title} again?`, what, "Try it again"))) return;
    await send("POST", `api/v1/tasks/${task}/retry`).catch(this.actions.tell);
    await this.load(task).catch(this.actions.tell);
  }

  private attempt(one: Attempt): HTMLElement {
    const parts = [
      one.worker && `on ${one.worker}`, one.started !== null && `from ${clock(one.started)}`,
      one.started !== null && one.ended !== null && `for ${duration(one.ended - one.started)}`,
      one.started === null && one.queued !== null && `queued at ${clock(one.queued)}`,
      one.cpu_s !== null && `${duration(one.cpu_s)} of processor`,
    ].filter(Boolean);
    const bad = ["failed", "lost"].includes(one.state);
    return make("li", { class: bad ? "one bad" : "one" },
      make("h4", {}, `Attempt ${one.id}`, badge(one.state)),
      make("p", { class: "small" }, parts.join(", ")),
      one.error && make("pre", { tabindex: 0 }, shortPaths(one.error.trimEnd())),
      values(one.metadata));
  }

  private product(one: Product): HTMLElement {
    const place = one.directory ? `${one.directory}/${one.filename}` : one.filename;
    return make("li", { class: "one" },
      make("h4", {}, one.filename, !one.versions.length && make("span", { class: "badge tone-0" }, "not made yet")),
      make("p", { class: "small" }, `${one.semantic}: ${place}`),
      ...one.versions.flatMap((version) => this.version(one, version)));
  }

  private version(product: Product, one: Version): Child[] {
    const verdict = one.passed === null ? "judging" : one.passed ? "passed" : "rejected";
    const says = one.passed === null ? "not judged" : one.passed ? "passed" : "refused";
    const is = shownOf(one.id);
    const show = make("button", {
      type: "button", "data-key": `show ${one.id}`, "aria-expanded": String(Boolean(is)),
      "aria-label": `${is ? "Hide" : "Show"} ${product.filename} of attempt ${one.attempt}`,
      onclick: () => void this.toggle(one.id, product.filename),
    }, is ? "Hide" : "Show");
    const download = make("button", {
      type: "button", "data-key": `keep ${one.id}`,
      "aria-label": `Download ${product.filename} of attempt ${one.attempt}`,
      onclick: () => void keep(one.id, product.filename).catch(this.actions.tell),
    }, "Download");
    return [
      make("h4", { title: `${one.content_hash}\nmd5:${one.md5}` }, show, download,
        make("small", {}, `attempt ${one.attempt}, ${bytes(one.size)}`),
        make("span", { class: `badge tone-${verdict === "passed" ? 2 : verdict === "rejected" ? 4 : 6}` }, says)),
      is ?? null, values(one.metadata),
    ];
  }

  private async toggle(version: number, filename: string): Promise<void> {
    const asked = toggle(version, filename);
    if (this.detail) this.draw(this.detail);
    await asked;
  }

  private neighbours(title: string, all: readonly Neighbour[]): HTMLElement | null {
    return section(title, all.map((one) => make("li", {},
      this.link(one.task, titleOf(one)),
      make("small", {}, one.by ? `file ${one.by}` : "metadata"), badge(one.state))), "neighbours");
  }
}

const fact = (name: string, value: Child): HTMLElement => make("div", {}, make("dt", {}, name), make("dd", {}, value));

function section(title: string, items: readonly HTMLElement[], kind = ""): HTMLElement | null {
  return items.length ? make("section", { class: kind }, make("h3", {}, title), make("ul", {}, ...items)) : null;
}

function parameters(title: string, metadata: Metadata): HTMLElement | null {
  const found = values(metadata);
  return found && make("section", {}, make("h3", {}, title), found);
}

function values(metadata: Metadata): HTMLElement | null {
  const rows = Object.entries(metadata).map(([name, value]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, typeof value === "string" ? value : JSON.stringify(value))));
  return rows.length ? make("div", { class: "parameters" }, make("dl", {}, ...rows)) : null;
}
