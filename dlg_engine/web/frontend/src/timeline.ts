// Who ran when on which node: lines of bars on a canvas, that can be moved and come nearer.

import { framed, make, say } from "./dom";
import { count, duration, nodeName, shorten } from "./format";
import { pack, ticks, type Packed, type Span } from "./lanes";
import { toneOf } from "./states";
import { FONT, palette } from "./theme";
import type { Timeline as Told } from "./types";

const LEFT = 158;
const TOP = 28;
const GAP = 10;

/** The timeline of a session. */
export class TimelineView {
  private readonly canvas = make("canvas", { tabindex: 0, role: "img" });
  private readonly tip = make("div", { class: "tip", hidden: true });
  private readonly note = make("p", { class: "hint pad" });
  private readonly lanesTable = make("table");
  private spans: readonly Span[] = [];
  private nodes: readonly string[] = [];
  private packed: Packed | null = null;
  /** The part that is shown, in seconds from the beginning; null for all. */
  private window: [number, number] | null = null;
  private readonly draw = framed(() => this.paint());

  constructor(
    private readonly box: HTMLElement,
    private readonly nameOf: (row: number) => string,
    private readonly choose: (row: number) => void,
  ) {
    box.append(this.note, make("div", { class: "lanes" }, this.canvas, this.tip),
      make("div", { class: "hidden" }, this.lanesTable));
    this.canvas.addEventListener("mousemove", (event) => this.point(event));
    this.canvas.addEventListener("mouseleave", () => (this.tip.hidden = true));
    this.canvas.addEventListener("click", (event) => {
      const found = this.at(event.offsetX, event.offsetY);
      if (found) this.choose(found[0]);
    });
    this.canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.canvas.addEventListener("keydown", (event) => {
      if (this.key(event.key)) event.preventDefault();
    });
    new ResizeObserver(() => this.draw()).observe(box);
  }

  /** Show what the server tells; `now` ends what still runs. */
  show(told: Told, now: number): void {
    this.spans = told.spans;
    this.nodes = told.nodes;
    this.packed = pack(told.spans, told.nodes.length, now);
    const length = this.packed.end - this.packed.begin;
    const left = told.dropped ? `; ${count(told.dropped, "older app")} left out` : "";
    say(this.note, told.spans.length
      ? `${count(told.spans.length, "app")} on ${count(told.nodes.length, "node")} in ${duration(length)}${left}`
      : "No app has run yet.");
    this.canvas.setAttribute("aria-label", `Timeline: ${this.note.textContent}`);
    this.tell();
    this.draw();
  }

  /** Show all of it. */
  fit(): void {
    this.window = null;
    this.draw();
  }

  /** Come nearer, or go away. */
  step(nearer: boolean): void {
    this.zoom(nearer ? 1 / 1.5 : 1.5, 0.5);
  }

  /** Draw it again: the colours or the size may be others. */
  redraw(): void {
    this.draw();
  }

  /** Say in a table, for those who do not see the drawing, what each node did. */
  private tell(): void {
    const head = make("tr", {}, ...["Node", "Apps", "Busy"].map((text) => make("th", { scope: "col" }, text)));
    const rows = (this.packed?.lanes ?? []).map((lane) =>
      make("tr", {},
        make("th", { scope: "row" }, this.nodes[lane.node] ?? ""),
        make("td", {}, String(lane.apps)),
        make("td", {}, duration(lane.busy))));
    this.lanesTable.replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
  }

  private get shown(): [number, number] {
    const length = Math.max(1e-3, (this.packed?.end ?? 1) - (this.packed?.begin ?? 0));
    return this.window ?? [0, length * 1.01];
  }

  private get lineHeight(): number {
    const packed = this.packed;
    if (!packed) return 16;
    const room = this.box.clientHeight - TOP - 60 - GAP * packed.lanes.length;
    return Math.min(24, Math.max(3, room / Math.max(1, packed.lines)));
  }

  private x(second: number): number {
    const [from, to] = this.shown;
    return LEFT + ((second - from) / (to - from)) * (this.canvas.clientWidth - LEFT - 12);
  }

  private y(line: number, lane: number): number {
    return TOP + line * this.lineHeight + lane * GAP;
  }

  private paint(): void {
    const packed = this.packed;
    const pen = this.canvas.getContext("2d");
    if (!packed || !pen || !this.box.clientWidth) return;
    const width = this.box.clientWidth;
    const height = Math.max(this.box.clientHeight - 40, this.y(packed.lines, packed.lanes.length) + 8);
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.paintAxis(pen, height);
    this.paintLanes(pen, width);
    this.paintSpans(pen);
  }

  private paintAxis(pen: CanvasRenderingContext2D, height: number): void {
    const colours = palette();
    const [from, to] = this.shown;
    pen.font = `11px ${FONT}`;
    pen.textBaseline = "middle";
    pen.textAlign = "center";
    pen.lineWidth = 1;
    for (const second of ticks(from, to, Math.max(2, (this.canvas.clientWidth - LEFT) / 110))) {
      const x = Math.round(this.x(second)) + 0.5;
      pen.strokeStyle = colours.line;
      pen.beginPath();
      pen.moveTo(x, TOP - 6);
      pen.lineTo(x, height);
      pen.stroke();
      pen.fillStyle = colours.soft;
      pen.fillText(second === 0 ? "0" : duration(second), x, TOP / 2);
    }
  }

  private paintLanes(pen: CanvasRenderingContext2D, width: number): void {
    const colours = palette();
    const tall = this.lineHeight;
    for (const lane of this.packed?.lanes ?? []) {
      const top = this.y(lane.first, lane.node);
      pen.fillStyle = colours.line;
      pen.globalAlpha = 0.28;
      pen.fillRect(LEFT, top - 2, width - LEFT, lane.lines * tall + 4);
      pen.globalAlpha = 1;
      pen.textAlign = "left";
      pen.fillStyle = colours.ink;
      pen.font = `600 12px ${FONT}`;
      const middle = top + (lane.lines * tall) / 2;
      pen.fillText(shorten(nodeName(this.nodes[lane.node] ?? ""), 22), 12, middle - (tall * lane.lines > 26 ? 7 : 0));
      if (tall * lane.lines <= 26) continue;
      pen.fillStyle = colours.soft;
      pen.font = `11px ${FONT}`;
      pen.fillText(`${count(lane.apps, "app")}, ${duration(lane.busy)}`, 12, middle + 8);
    }
  }

  private paintSpans(pen: CanvasRenderingContext2D): void {
    const packed = this.packed;
    if (!packed) return;
    const tones = palette().tones;
    const tall = this.lineHeight;
    const right = this.canvas.clientWidth;
    pen.textAlign = "left";
    pen.font = `${Math.min(11.5, tall * 0.62)}px ${FONT}`;
    this.spans.forEach((span, k) => {
      const [row, node, began, ended, status] = span;
      const from = this.x(began - packed.begin);
      const to = this.x((ended ?? packed.end) - packed.begin);
      if (to < LEFT || from > right) return;
      const left = Math.max(LEFT, from);
      const wide = Math.max(1.2, to - left - (to - left > 4 ? 1 : 0));
      const top = this.y(packed.line[k] ?? 0, node);
      pen.fillStyle = tones[ended === null ? 1 : toneOf(status)] ?? "#888";
      pen.beginPath();
      pen.roundRect(left, top + 0.5, wide, Math.max(1, tall - 1), Math.min(3, wide / 2));
      pen.fill();
      if (wide < 54 || tall < 13) return;
      pen.fillStyle = "#fff";
      pen.fillText(shorten(this.nameOf(row), Math.floor(wide / 7)), left + 5, top + tall / 2 + 0.5);
    });
  }

  /** Return the span that is drawn at a point, if there is one. */
  private at(x: number, y: number): Span | undefined {
    const packed = this.packed;
    if (!packed || x < LEFT) return undefined;
    const tall = this.lineHeight;
    const lane = packed.lanes.find((one) => {
      const top = this.y(one.first, one.node);
      return y >= top && y < top + one.lines * tall;
    });
    if (!lane) return undefined;
    const line = lane.first + Math.floor((y - this.y(lane.first, lane.node)) / tall);
    return this.spans.find((span, k) => {
      if (packed.line[k] !== line) return false;
      const from = this.x(span[2] - packed.begin);
      return x >= from - 1 && x <= Math.max(from + 3, this.x((span[3] ?? packed.end) - packed.begin) + 1);
    });
  }

  private point(event: MouseEvent): void {
    const found = this.at(event.offsetX, event.offsetY);
    this.tip.hidden = !found;
    this.canvas.style.cursor = found ? "pointer" : "default";
    if (!found || !this.packed) return;
    const [row, node, began, ended] = found;
    const spent = duration((ended ?? this.packed.end) - began);
    say(this.tip, `${this.nameOf(row)} · ${ended === null ? "running for " : ""}${spent} · from ${duration(
      began - this.packed.begin)} on · ${nodeName(this.nodes[node] ?? "")}`);
    this.tip.style.left = `${Math.min(event.offsetX + 12, Math.max(0, this.box.clientWidth - 340))}px`;
    this.tip.style.top = `${event.offsetY + 16}px`;
  }

  private wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.shiftKey && Math.abs(event.deltaY) > Math.abs(event.deltaX)) {
      if (this.canvas.clientHeight > this.box.clientHeight) return; // let the page scroll
    }
    event.preventDefault();
    const share = (event.offsetX - LEFT) / Math.max(1, this.canvas.clientWidth - LEFT);
    if (event.deltaX) this.move(event.deltaX / 900);
    else this.zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, Math.min(1, Math.max(0, share)));
  }

  private zoom(factor: number, share: number): void {
    const [from, to] = this.shown;
    const middle = from + (to - from) * share;
    this.window = [middle - (middle - from) * factor, middle + (to - middle) * factor];
    this.draw();
  }

  private move(share: number): void {
    const [from, to] = this.shown;
    const step = (to - from) * share;
    this.window = [from + step, to + step];
    this.draw();
  }

  private key(key: string): boolean {
    if (key === "+" || key === "=") this.step(true);
    else if (key === "-") this.step(false);
    else if (key === "ArrowLeft") this.move(-0.15);
    else if (key === "ArrowRight") this.move(0.15);
    else if (key === "0" || key === "f") this.fit();
    else return false;
    return true;
  }
}
