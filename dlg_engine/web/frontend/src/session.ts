// The page of one session: what the server streams goes into a store, and from there to all views.

import { follow, get, getText, inWords, send, sessionPath, tellMishaps } from "./api";
import { confirm } from "./dialogs";
import { byId, framed, make, say, throttled } from "./dom";
import { showFailures } from "./failures";
import { age, count, duration, number, percent } from "./format";
import { Drawing } from "./graph";
import { fillBar, GroupTable } from "./groups";
import { Panel } from "./panel";
import { isOver, SESSION_STATES, sessionTone, Tone, TONE_NAMES, TONE_ORDER } from "./states";
import { Store } from "./store";
import { DropTable } from "./table";
import { tabs } from "./tabs";
import { onScheme } from "./theme";
import { TimelineView } from "./timeline";
import type { Changes, ClusterState, Drop, ListedDrop, Summary, Timeline, View } from "./types";

/** The states that are in the legend though no drop is in them. */
const ALWAYS: ReadonlySet<Tone> = new Set([Tone.Done, Tone.Failed, Tone.Running, Tone.Waiting]);
const session = new URLSearchParams(location.search).get("sessionId") ?? "";

class Page {
  private store = new Store(0, [], 0);
  private view: View | null = null;
  private summary: Summary | null = null;
  private tone: number | null = null;
  private words = "";
  /** The rows that a search has found; null while nothing is searched for. */
  private found: Set<number> | null = null;
  private heard = 0;
  private lost = 0;
  private pending: number[] = [];
  private tab = "graph";

  private readonly drawing = new Drawing(byId("canvas"), () => this.store, {
    drop: (row) => void this.chooseRow(row),
    group: (group) => void this.open(group),
    nothing: () => this.panel.close(),
  });
  private readonly groups = new GroupTable(
    byId<HTMLTableSectionElement>("groups-body"), byId("groups-note"), (group) => void this.toGroup(group),
  );
  private readonly drops = new DropTable(session, (oid) => void this.choose(oid));
  private readonly panel = new Panel(session, {
    drop: (oid) => void this.choose(oid, true),
    closed: () => this.drawing.choose(null),
  });
  private readonly timeline = new TimelineView(
    byId("timeline"), (row) => this.nameOf(row), (row) => void this.chooseRow(row),
  );
  private readonly showTab = tabs(byId("tabs"), (panel) => this.tabShown(panel));
  private readonly recount = framed(() => this.showCounts());
  private readonly refresh = throttled(() => void this.loadShown(), 1500);

  async start(): Promise<void> {
    say(byId("name"), session);
    document.title = `${session} · dlg`;
    this.controls();
    this.legend();
    tellMishaps((text) => this.complain(text));
    try {
      const [summary, cluster] = await Promise.all([
        get<Summary>(sessionPath(session)), get<ClusterState>("api/v1/cluster").catch(() => null),
      ]);
      document.body.classList.toggle("readonly", cluster?.readonly === true);
      this.take(summary);
      await this.load();
    } catch (error) {
      this.refused(error);
      return;
    }
    document.body.classList.add("ready");
    window.setInterval(() => this.tick(), 500);
    await follow(sessionPath(session, "/events?form=rows"), {
      event: (event) => this.hear(event.name, event.data),
      heard: () => (this.heard = Date.now()),
      done: () => isOver(this.summary?.status ?? 0),
      connected: (yes, again_ms) => {
        this.lost = yes ? 0 : Date.now() + again_ms;
        this.heard = yes ? Date.now() : this.heard;
        this.tick();
      },
      refused: (error) => this.refused(error),
    }, new AbortController().signal);
    document.body.classList.add("ended");
    await this.loadShown();
    this.tick();
  }

  // -- what comes from the server ------------------------------------------------------------

  private async load(): Promise<void> {
    const view = await get<View>(sessionPath(session, "/view"));
    const known = this.store;
    this.store = new Store(view.drops, view.group_of, view.groups.length);
    if (known.size === view.drops) this.store.apply(carried(known));
    this.view = view;
    this.drawing.show(view);
    this.groups.show(view.groups, this.store);
    byId("all").hidden = true;
    byId("empty").hidden = view.drops > 0;
    this.showCounts();
  }

  private hear(name: string, text: string): void {
    if (name === "session") this.take(JSON.parse(text) as Summary);
    if (name !== "changes") return;
    const told = JSON.parse(text) as Changes;
    this.store.version = told.version;
    const rows = this.store.apply(told.changes);
    if (!rows.length) return;
    for (const row of rows) this.pending.push(row);
    this.recount();
    this.refresh();
  }

  private take(summary: Summary): void {
    const before = this.summary?.status ?? -1;
    this.summary = summary;
    const tone = sessionTone(summary.status);
    const badge = byId("state");
    badge.className = `badge tone-${tone}`;
    say(badge, (SESSION_STATES[summary.status] ?? "unknown").toLowerCase());
    byId<HTMLButtonElement>("cancel").disabled = summary.status !== 3;
    byId<HTMLButtonElement>("delete").hidden = !isOver(summary.status);
    showFailures(summary, this.store.total[3] ?? 0, (oid) => void this.choose(oid, true));
    const nodes = summary.nodes ?? [];
    say(byId("where"), nodes.length > 1 ? `on ${nodes.length} nodes` : "");
    this.tick();
    if (before >= 0 && before < 3 && this.store.size !== summary.drops) void this.load();
    if (before >= 0 && before !== summary.status) this.refresh();
  }

  private async loadShown(): Promise<void> {
    const jobs: Promise<unknown>[] = [];
    if (this.tab === "drops") jobs.push(this.drops.load());
    if (this.tab === "timeline") jobs.push(this.loadTimeline());
    if (this.tab === "log") jobs.push(this.loadLog());
    if (this.panel.shown) jobs.push(this.panel.load());
    await Promise.allSettled(jobs); // the next refresh asks again; a lost connection is told elsewhere
  }

  private async loadTimeline(): Promise<void> {
    const told = await get<Timeline>(sessionPath(session, "/timeline?most=5000"));
    this.timeline.show(told, Date.now() / 1000);
  }

  private async loadLog(): Promise<void> {
    const box = byId("log-text");
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    say(box, (await getText(sessionPath(session, "/logs"))) || "Nothing has been logged.");
    if (atEnd) box.scrollTop = box.scrollHeight;
  }

  // -- what is shown -------------------------------------------------------------------------

  private showCounts(): void {
    const rows = this.pending;
    this.pending = [];
    this.drawing.changed(rows);
    this.groups.update();
    fillBar(byId("bar"), this.store.total, 0, this.store.size);
    for (const tone of TONE_ORDER) {
      const chip = byId(`chip-${tone}`);
      const n = this.store.total[tone] ?? 0;
      say(chip.querySelector("b") ?? chip, number(n));
      chip.hidden = n === 0 && this.tone !== tone && !ALWAYS.has(tone);
    }
    if (this.summary) {
      showFailures(this.summary, this.store.total[3] ?? 0, (oid) => void this.choose(oid, true));
    }
    this.tick();
  }

  private tick(): void {
    const summary = this.summary;
    if (!summary) return;
    const ended = this.store.size ? this.store.ended : summary.done;
    const reused = summary.reused ? `, ${count(summary.reused, "app")} reused` : "";
    const done = `${number(ended)} of ${number(summary.drops)} drops, ${percent(ended, summary.drops)}`;
    say(byId("done"), `${done}${reused}`);
    const began = summary.started ?? null;
    const until = summary.ended ?? Date.now() / 1000;
    const word = isOver(summary.status) ? "took" : "running for";
    say(byId("elapsed"), began === null ? "not started" : `${word} ${duration(until - began)}`);
    const status = byId("status");
    status.classList.toggle("lost", this.lost > 0);
    const wait = Math.max(0, Math.ceil((this.lost - Date.now()) / 1000));
    if (this.lost) say(status, `Connection lost, ${wait ? `trying again in ${wait} s` : "trying again"}`);
    else if (isOver(summary.status)) say(status, endedAgo(summary.ended));
    else say(status, this.heard ? `live, heard ${age((Date.now() - this.heard) / 1000)}` : "connecting");
  }

  private tabShown(panel: string): void {
    this.tab = panel;
    byId("graph-tools").hidden = panel !== "graph" && panel !== "timeline";
    if (panel === "graph") this.drawing.resize();
    if (document.body.classList.contains("ready")) void this.loadShown();
  }

  private legend(): void {
    byId("legend").replaceChildren(...TONE_ORDER.map((tone) => {
      const chip = make(
        "button", { type: "button", id: `chip-${tone}`, "aria-pressed": "false", class: "chip",
          title: `Show only drops that are ${TONE_NAMES[tone]}`, onclick: () => this.filter(tone) },
        make("i", { class: `dot tone-${tone}`, "aria-hidden": "true" }), make("b", {}, "0"), ` ${TONE_NAMES[tone]}`);
      return chip;
    }));
  }

  // -- what a person does --------------------------------------------------------------------

  private controls(): void {
    const zoom = (nearer: boolean): void =>
      this.tab === "timeline" ? this.timeline.step(nearer) : this.drawing.zoom(nearer);
    byId("zoom-in").addEventListener("click", () => zoom(true));
    byId("zoom-out").addEventListener("click", () => zoom(false));
    byId("fit").addEventListener("click", () => (this.tab === "timeline" ? this.timeline.fit() : this.drawing.fit()));
    byId("all").addEventListener("click", () => void this.open(null));
    byId("cancel").addEventListener("click", () => void this.cancel());
    byId("delete").addEventListener("click", () => void this.remove());
    const search = byId<HTMLInputElement>("search");
    const changed = throttled(() => void this.search(search.value.trim()), 250);
    search.addEventListener("input", changed);
    search.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        search.value = "";
        changed();
      }
    });
    onScheme(() => {
      this.drawing.recolour();
      this.drawing.choose(null);
      this.timeline.redraw();
    });
    document.addEventListener("keydown", (event) => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
      if (event.key === "/" && !typing) {
        event.preventDefault();
        search.focus();
      } else if (event.key === "Escape" && !typing) this.panel.close();
    });
  }

  private filter(tone: number): void {
    this.tone = this.tone === tone ? null : tone;
    for (const one of TONE_ORDER) byId(`chip-${one}`).setAttribute("aria-pressed", String(one === this.tone));
    this.highlight();
    void this.drops.search(this.words, this.tone);
    this.showCounts();
  }

  private async search(words: string): Promise<void> {
    this.words = words;
    if (words) {
      const query = new URLSearchParams({ offset: "0", limit: "1000", text: words }).toString();
      const page = await get<{ total: number; drops: ListedDrop[] }>(sessionPath(session, `/drops?${query}`));
      if (words !== this.words) return;
      this.found = new Set(page.drops.map((drop) => drop.row));
      say(byId("found"), `${number(page.total)} found`);
    } else {
      this.found = null;
      say(byId("found"), "");
    }
    this.highlight();
    await this.drops.search(this.words, this.tone);
  }

  private highlight(): void {
    const { tone, found } = this;
    if (tone === null && !found) {
      this.drawing.highlight(null);
      return;
    }
    const inGroups = new Set([...(found ?? [])].map((row) => this.store.group(row)));
    this.drawing.highlight((row) => {
      const group = -1 - row;
      if (row < 0) return (tone === null || this.store.inGroup(group, tone) > 0) && (!found || inGroups.has(group));
      return (tone === null || this.store.tone[row] === tone) && (!found || found.has(row));
    });
  }

  /** Open a group, so that its drops are drawn; null draws the whole graph again. */
  private async open(group: number | null): Promise<void> {
    const query = group === null ? "" : `?group=${group}`;
    const view = await get<View>(sessionPath(session, `/view${query}`));
    this.view = view;
    this.drawing.show(view);
    this.highlight();
    this.groups.mark(group ?? -1);
    byId("all").hidden = group === null;
    const about = group === null ? undefined : view.groups[group];
    say(byId("opened"), about ? `${about.name}: ${number(about.size)} drops` : "");
    this.showTab("graph");
  }

  private async toGroup(group: number): Promise<void> {
    const isDrawn = this.view?.by === "drops" && this.view.opened === undefined;
    if (!isDrawn) {
      await this.open(group);
      return;
    }
    this.found = null;
    this.groups.mark(group);
    this.drawing.highlight((row) => this.store.group(row) === group);
    this.showTab("graph");
  }

  private async chooseRow(row: number): Promise<void> {
    const page = await get<{ drops: ListedDrop[] }>(sessionPath(session, `/drops?offset=${row}&limit=1`));
    const drop = page.drops[0];
    if (drop) await this.choose(drop.oid);
  }

  /** Show a drop in the panel and in the drawing; `go` moves the drawing there. */
  private async choose(oid: string, go = false): Promise<void> {
    const drop: Drop | null = await this.panel.open(oid);
    if (!drop) return;
    const row = this.drawing.has(drop.row) ? drop.row : -1 - this.store.group(drop.row);
    this.drawing.choose(row, go);
  }

  private async cancel(): Promise<void> {
    const what = "Apps that run are stopped; what has been made stays.";
    const yes = await confirm(`Cancel ${session}?`, what, "Cancel it");
    if (yes) await this.order("POST", `api/sessions/${encodeURIComponent(session)}/cancel`);
  }

  private async remove(): Promise<void> {
    const what = "The managers forget it; files it has written stay.";
    const yes = await confirm(`Delete ${session}?`, what, "Delete it");
    if (!yes) return;
    if (await this.order("DELETE", `api/sessions/${encodeURIComponent(session)}`)) location.assign("./");
  }

  private async order(method: "POST" | "DELETE", path: string): Promise<boolean> {
    try {
      await send(method, path);
      return true;
    } catch (error) {
      this.complain(inWords(error));
      return false;
    }
  }

  private refused(error: unknown): void {
    this.complain(inWords(error));
    if (!this.summary) {
      say(byId("state"), "not shown");
      byId("status").classList.add("lost");
      say(byId("status"), "not connected");
      byId("complaint-text").append(" ", make("a", { href: "./" }, "See all sessions"));
    }
    document.body.classList.add("ready");
  }

  /** Tell what went wrong. */
  private complain(text: string): void {
    say(byId("complaint-text"), text);
    byId("complaint").hidden = false;
  }

  private nameOf(row: number): string {
    const view = this.view;
    const isDrawn = view?.by === "drops" && view.opened === undefined;
    return (isDrawn ? view.labels[row] : view?.groups[this.store.group(row)]?.name) ?? `drop ${row}`;
  }
}

const endedAgo = (ended: number | null | undefined): string =>
  ended ? `ended ${age(Date.now() / 1000 - ended)}` : "ended";

/** Return what a store knows, as changes for another one. */
function carried(store: Store): [number, number, number | null, number][] {
  const found: [number, number, number | null, number][] = [];
  for (let row = 0; row < store.size; row += 1) {
    if (!store.time[row]) continue;
    const exec = store.exec[row] ?? 255;
    found.push([row, store.status[row] ?? 0, exec === 255 ? null : exec, store.time[row] ?? 0]);
  }
  return found;
}

void new Page().start();
