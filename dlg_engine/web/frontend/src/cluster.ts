// The page of a manager: who is there, how much they have to do, and the sessions.

import { get, inWords, Refused, send, tellMishaps } from "./api";
import { confirm } from "./dialogs";
import { arrowKeys, byId, make, refill, say, throttled, type Child } from "./dom";
import { age, bytes, clock, count, duration, nodeName, number, percent } from "./format";
import { fillBar } from "./groups";
import { isOver, SESSION_STATES, sessionTone, tonesOf } from "./states";
import type { ClusterNode, ClusterState, Summary } from "./types";

const EVERY_MS = 2000;

class Page {
  private sessions: readonly Summary[] = [];
  private heard = 0;
  private words = "";
  private next: string | null = null;
  private limit = 100;
  private readonly body = byId<HTMLTableSectionElement>("sessions-body");

  async start(): Promise<void> {
    arrowKeys(this.body, "a");
    tellMishaps(complain);
    const search = byId<HTMLInputElement>("search");
    const changed = throttled(() => {
      this.words = search.value.trim().toLowerCase();
      this.showSessions();
    }, 100);
    search.addEventListener("input", changed);
    byId("more").addEventListener("click", () => {
      this.limit += 400;
      void this.load();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && !(event.target instanceof HTMLInputElement)) {
        event.preventDefault();
        search.focus();
      }
    });
    for (;;) {
      await this.load();
      document.body.classList.add("ready");
      await new Promise((resolve) => window.setTimeout(resolve, EVERY_MS));
    }
  }

  private async load(): Promise<void> {
    const status = byId("status");
    try {
      const [cluster, sessions] = await Promise.all([
        get<ClusterState>("api/v1/cluster"),
        get<{ sessions: Summary[]; next: string | null }>(`api/v1/sessions?limit=${this.limit}`),
      ]);
      this.heard = Date.now();
      this.showCluster(cluster);
      this.sessions = sessions.sessions;
      this.next = sessions.next;
      this.showSessions();
      status.classList.remove("lost");
      say(status, "live");
    } catch (error) {
      status.classList.add("lost");
      const since = this.heard ? `, last heard ${age((Date.now() - this.heard) / 1000)}` : "";
      say(status, error instanceof Refused ? error.message : `Connection lost, trying again${since}`);
    }
  }

  // -- who is there --------------------------------------------------------------------------

  private showCluster(cluster: ClusterState): void {
    const titles = { node: "Node", island: "Data island", master: "Master" };
    const title = cluster.readonly ? "" : titles[cluster.level];
    say(byId("level"), title);
    say(byId("name"), nodeName(cluster.name));
    document.title = `${title} ${nodeName(cluster.name)} · dlg`.trim();
    document.body.classList.toggle("readonly", cluster.readonly === true);
    say(byId("version"), cluster.version ? `dlg ${cluster.version}` : "");
    const alive = cluster.nodes.filter((node) => node.alive).length;
    const lost = cluster.nodes.length - alive;
    say(byId("nodes-note"), `${count(alive, "node")} alive${lost ? `, ${number(lost)} lost` : ""}`);
    const islands = cluster.level === "master" ? (cluster.islands ?? []) : [];
    const known = new Set(islands.map((island) => island.name));
    const parts = islands.map((island) => this.island(island.name, island.alive,
      cluster.nodes.filter((node) => node.island === island.name), island.url));
    const others = cluster.nodes.filter((node) => !known.has(node.island ?? ""));
    if (others.length) parts.push(this.island("", true, others));
    const focused = document.activeElement?.getAttribute("href");
    refill(byId("nodes"), ...parts);
    if (focused) byId("nodes").querySelector<HTMLElement>(`a[href="${CSS.escape(focused)}"]`)?.focus();
    byId("nodes-empty").hidden = cluster.nodes.length > 0;
  }

  private island(name: string, alive: boolean, nodes: readonly ClusterNode[], url?: string): HTMLElement {
    const title = url ? make("a", { href: url }, nodeName(name)) : nodeName(name);
    const head = name && make("h3", {}, "Island ", title, !alive && make("span", { class: "badge tone-3" }, "lost"));
    return make("div", { class: "island" }, head, make("ul", { class: "cards" }, ...nodes.map((node) => card(node))));
  }

  // -- sessions ------------------------------------------------------------------------------

  private showSessions(): void {
    const shown = this.sessions.filter((one) => one.sessionId.toLowerCase().includes(this.words));
    const running = this.sessions.filter((one) => one.status === 3).length;
    say(byId("sessions-note"), `${count(this.sessions.length, "session")}, ${number(running)} running`);
    byId("sessions-empty").hidden = shown.length > 0;
    const none = this.words ? "No session has such a name." : "No sessions yet: dlg submit GRAPH starts one.";
    say(byId("sessions-empty"), none);
    byId("more").hidden = this.next === null;
    const focused = document.activeElement?.getAttribute("data-of");
    const what = document.activeElement?.getAttribute("data-what") ?? "";
    refill(this.body, ...shown.map((one) => this.row(one)));
    if (focused) {
      const again = `[data-of="${CSS.escape(focused)}"][data-what="${what}"]`;
      this.body.querySelector<HTMLElement>(again)?.focus();
    }
  }

  private row(one: Summary): HTMLTableRowElement {
    const bar = make("span", { class: "bar", "aria-hidden": "true" });
    fillBar(bar, tonesOf(one.counts), 0, one.drops);
    const over = isOver(one.status);
    const until = one.ended ?? Date.now() / 1000;
    const path = `api/sessions/${encodeURIComponent(one.sessionId)}`;
    const button = over
      ? this.button(one, "Delete", "The managers forget it; files it has written stay.", "DELETE", path)
      : this.button(one, "Cancel", "Apps that run are stopped; what has been made stays.", "POST", `${path}/cancel`);
    return make(
      "tr", {},
      make("th", { scope: "row" }, make("a", {
        href: `session?sessionId=${encodeURIComponent(one.sessionId)}`, "data-of": one.sessionId, "data-what": "link",
      }, one.sessionId)),
      make("td", {}, make("span", { class: `badge tone-${sessionTone(one.status)}` },
        (SESSION_STATES[one.status] ?? "unknown").toLowerCase())),
      make("td", { class: "progress" }, bar,
        make("span", {}, `${number(one.done)} of ${number(one.drops)}`),
        make("small", {}, percent(one.done, one.drops))),
      make("td", { class: "figure" }, number(one.counts["ERROR"] ?? 0)),
      make("td", { title: one.created ? `created at ${clock(one.created)}` : null },
        age(one.created ? Date.now() / 1000 - one.created : null)),
      make("td", {}, one.started ? duration(until - one.started) : "–"),
      make("td", { class: "actions" }, over || one.status === 3 ? button : null),
    );
  }

  private button(one: Summary, verb: string, what: string, method: "POST" | "DELETE", path: string): HTMLElement {
    return make("button", {
      type: "button", "data-of": one.sessionId, "data-what": verb, "aria-label": `${verb} ${one.sessionId}`,
      onclick: () => void this.order(`${verb} ${one.sessionId}?`, what, `${verb} it`, method, path),
    }, verb);
  }

  private async order(
    question: string, what: string, yes: string, ...request: ["POST" | "DELETE", string]
  ): Promise<void> {
    if (!(await confirm(question, what, yes))) return;
    try {
      await send(...request);
    } catch (error) {
      complain(inWords(error));
    }
    await this.load();
  }
}

function complain(text: string): void {
  say(byId("complaint-text"), text);
  byId("complaint").hidden = false;
}

function card(node: ClusterNode): HTMLLIElement {
  const title = node.url ? make("a", { href: node.url }, nodeName(node.name)) : nodeName(node.name);
  const state = node.alive ? badge("alive", 2) : badge("lost", 3);
  const since = node.since ? `since ${clock(node.since)}` : "It does not answer.";
  const inside = node.alive ? meters(node) : [make("p", { class: "small" }, since)];
  return make("li", { class: node.alive ? "card" : "card lost" }, make("h4", {}, title, state), ...inside);
}

const badge = (word: string, tone: number): HTMLElement => make("span", { class: `badge tone-${tone}` }, word);

function meters(node: ClusterNode): Child[] {
  const { load = 0, cpus = 0, memory_used: used = 0, memory_total: total = 0 } = node;
  const todo = [count(node.running ?? 0, "app") + " running", count(node.sessions ?? 0, "session")];
  return [
    meter("Load", load, cpus, `${load.toFixed(1)} on ${count(cpus, "core")}`),
    meter("Memory", used, total, `${bytes(used)} of ${bytes(total)}`),
    make("p", { class: "small" }, `${todo.join(", ")}, ${bytes(node.disk_free)} of disk free`),
  ];
}

function meter(name: string, used: number, whole: number, told: string): HTMLElement {
  const part = whole ? Math.min(1, Math.max(0, used / whole)) : 0;
  const fill = make("i", { class: part > 0.9 ? "high" : null });
  fill.style.width = `${(100 * part).toFixed(1)}%`;
  return make("p", { class: "meter" }, make("span", {}, name),
    make("span", { class: "gauge", "aria-hidden": "true" }, fill),
    make("span", { class: "told" }, whole ? told : "–"));
}

void new Page().start();
