// When attempts ran, worker by worker: one drawing, of which the newest attempts are a part.

import { get } from "./api";
import { byId, make, refill, say } from "./dom";
import { clock, count, duration } from "./format";
import { pack, ticks, type Packed, type Span } from "./lanes";
import { draw } from "./svg";
import { toneOf, VERDICTS } from "./task_states";
import type { Timeline, TimelineSpan } from "./task_types";
import { scopeOf, type Where } from "./where";

const LIMIT = 1000;
const LEFT = 170;
const TOP = 26;
const LINE = 16;
const GAP = 8;

/** The drawing. */
export class TaskTimeline {
  private before: number | null = null;
  private next: number | null = null;
  private told: Timeline | null = null;
  private readonly box = byId("timeline-box");

  constructor(private readonly choose: (task: number) => void, changed: () => void) {
    byId("timeline-older").addEventListener("click", () => this.turn(this.next, changed));
    byId("timeline-newest").addEventListener("click", () => this.turn(null, changed));
    new ResizeObserver(() => this.paint()).observe(this.box);
  }

  private turn(before: number | null, changed: () => void): void {
    this.before = before;
    changed();
  }

  async load(where: Where): Promise<void> {
    const said = scopeOf(where, { limit: LIMIT, before: this.before });
    const told = await get<Timeline>(`api/v1/timeline?${said.toString()}`);
    this.next = told.next;
    this.told = told;
    byId("timeline-older").hidden = told.next === null;
    byId("timeline-newest").hidden = this.before === null;
    this.paint();
  }

  private paint(): void {
    const { told } = this;
    if (!told || !this.box.clientWidth) return;
    const spans = told.spans.map((one, k): Span => [k, one.worker, one.started, one.ended, 0]);
    const packed = pack(spans, told.workers.length, Date.now() / 1000);
    const length = packed.end - packed.begin;
    say(byId("timeline-note"), told.spans.length
      ? `${count(told.spans.length, "attempt")} on ${count(told.workers.length, "worker")} in ${duration(length)}`
      : "No attempt has begun yet.");
    refill(this.box, ...(told.spans.length ? [this.drawing(told, packed), legend(), this.table(told, packed)] : []));
  }

  private drawing(told: Timeline, packed: Packed): SVGSVGElement {
    const width = Math.max(420, this.box.clientWidth - 34);
    const length = Math.max(1e-3, packed.end - packed.begin);
    const x = (second: number): number => LEFT + (second / length) * (width - LEFT - 12);
    const y = (line: number, lane: number): number => TOP + line * LINE + lane * GAP;
    const height = y(packed.lines, packed.lanes.length) + 6;
    const axis = ticks(0, length, (width - LEFT) / 110).flatMap((second) => [
      draw("line", { class: "grid", x1: x(second), x2: x(second), y1: TOP - 6, y2: height }),
      draw("text", { class: "soft", x: x(second) + 3, y: 12 }, duration(second)),
    ]);
    const names = packed.lanes.map((lane) => draw("text", { x: 0, y: y(lane.first, lane.node) + 12 },
      cut(told.workers[lane.node] ?? ""), draw("title", {}, told.workers[lane.node] ?? "")));
    const bars = told.spans.map((one, k) => {
      const end = one.ended ?? packed.end;
      const from = x(one.started - packed.begin);
      return draw("rect", {
        class: `span tone-${toneOf(one.state)}`, x: from, y: y(packed.line[k] ?? 0, one.worker), rx: 2,
        width: Math.max(1.5, x(end - packed.begin) - from - 0.5), height: LINE - 3, "data-task": one.task,
        onclick: () => this.choose(one.task),
      }, draw("title", {}, words(one, told)));
    });
    return draw("svg", { width, height, role: "img", "aria-label": byId("timeline-note").textContent },
      ...axis, ...names, ...bars);
  }

  /** Return, for those who do not see the drawing, what each worker did. */
  private table(told: Timeline, packed: Packed): HTMLElement {
    const head = ["Worker", "Attempts", "Busy"].map((text) => make("th", { scope: "col" }, text));
    const rows = packed.lanes.map((lane) => make("tr", {},
      make("th", { scope: "row" }, told.workers[lane.node] ?? ""),
      make("td", {}, String(lane.apps)), make("td", {}, duration(lane.busy))));
    return make("div", { class: "hidden" }, make("table", {}, make("tbody", {}, make("tr", {}, ...head), ...rows)));
  }
}

const cut = (name: string): string => (name.length > 24 ? `…${name.slice(-23)}` : name || "by hand");

function words(one: TimelineSpan, told: Timeline): string {
  const took = one.ended === null ? "" : ` for ${duration(one.ended - one.started)}`;
  const who = `${told.types[one.type] ?? ""}, task ${one.task}, attempt ${one.attempt}`;
  return `${who}: ${one.state}, from ${clock(one.started)}${took}`;
}

/** Return what the colours mean. */
export function legend(): HTMLElement {
  return make("ul", { class: "legend", "aria-hidden": "true" }, ...VERDICTS.map(([verdict, sign, says]) =>
    make("li", {}, make("span", { class: `dot tone-${toneOf(verdict)}` }), `${says}${sign ? ` ${sign}` : ""}`)));
}
