// The map of a job: who passed and who failed, over what its tasks differ in.

import { get } from "./api";
import { byId, make, refill, say } from "./dom";
import { count, number } from "./format";
import { draw } from "./svg";
import { inWords, toneOf, total, VERDICTS } from "./task_states";
import { legend } from "./task_timeline";
import type { Axis, Cell, Counts, Keyword, Tiles, VerdictMap } from "./task_types";
import { scopeOf, type Where } from "./where";

const LIMIT = 2000;
const LEFT = 130;
const BOTTOM = 78;
const TILE = 17;
const FIGURES = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** The map, or without axes all tasks in their order. */
export class TaskMap {
  private starts: number[] = [0];
  private next: number | null = null;
  private known = "";
  private asked = 0;
  private readonly box = byId("map-box");
  private readonly x = byId<HTMLSelectElement>("map-x");
  private readonly y = byId<HTMLSelectElement>("map-y");
  private readonly by = byId<HTMLSelectElement>("map-by");
  private readonly type = byId<HTMLSelectElement>("map-type");

  constructor(private readonly choose: (task: number) => void, changed: () => void) {
    const form = byId("map-form");
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => this.turn(() => (this.starts = [0]), changed));
    byId("map-before").addEventListener("click", () => this.turn(() => this.starts.pop(), changed));
    byId("map-after").addEventListener("click", () => this.turn(() => this.starts.push(this.next ?? 0), changed));
  }

  private turn(step: () => void, changed: () => void): void {
    step();
    changed();
  }

  async load(where: Where, types: readonly string[]): Promise<void> {
    options(this.type, types, "any");
    await this.axes(where);
    const said = scopeOf(where, { type: this.type.value });
    this.asked += 1;
    const asked = this.asked;
    if (this.x.value) {
      said.set("x", this.x.value);
      if (this.y.value) said.set("y", this.y.value);
      if (this.by.value) said.set("by", this.by.value);
      const found = await get<VerdictMap>(`api/v1/map?${said.toString()}`);
      if (asked === this.asked) this.showMap(found);
      return;
    }
    said.set("limit", String(LIMIT));
    said.set("after", String(this.starts.at(-1) ?? 0));
    const found = await get<Tiles>(`api/v1/map/tiles?${said.toString()}`);
    if (asked === this.asked) this.showTiles(found);
  }

  /** Offer what can be an axis, and choose two numbers where a job has them. */
  private async axes(where: Where): Promise<void> {
    const said = scopeOf(where, { type: this.type.value });
    const { keywords } = await get<{ keywords: Keyword[] }>(`api/v1/map/keywords?${said.toString()}`);
    const names = keywords.map((one) => one.name);
    options(this.x, names, "in order");
    options(this.y, names, "nothing");
    options(this.by, keywords.filter((one) => one.verdict).map((one) => one.name), "of the task");
    const kept = `${said.toString()}\n${names.join("\n")}`;
    if (kept === this.known) return;
    const anew = !this.known || !this.x.value;
    this.known = kept;
    const [first, second] = proposed(keywords);
    if (!anew || where.job === null) return;
    this.x.value = first ?? "";
    this.y.value = second ?? "";
  }

  private showMap(found: VerdictMap): void {
    this.turns(null);
    const left = found.left_out ? `; ${number(found.left_out)} without such values left out` : "";
    say(byId("map-note"), `${count(found.tasks, "task")}${left}`);
    refill(this.box, this.drawing(found), legend());
  }

  private drawing({ x, y, cells }: VerdictMap): SVGSVGElement {
    const room = Math.max(300, this.box.clientWidth - 40 - LEFT);
    const width = Math.max(16, Math.min(72, Math.floor(room / Math.max(1, x.labels.length))));
    const height = Math.max(18, Math.min(46, Math.floor(430 / Math.max(1, y.labels.length))));
    const bottom = y.labels.length * height + 8;
    const whole = { width: LEFT + x.labels.length * width + 60, height: bottom + BOTTOM };
    const ground = draw("rect", { class: "empty", x: LEFT, y: 8, width: x.labels.length * width,
      height: y.labels.length * height });
    const places = cells.map((cell) => this.place(cell, x, y, [width, height, bottom]));
    const title = `Map of verdicts over ${plain(x.name)}${y.name ? ` and ${plain(y.name)}` : ""}`;
    return draw("svg", { ...whole, role: "group", "aria-label": title },
      ground, ...across(x, width, bottom), ...up(y, height, bottom), ...places);
  }

  private place(cell: Cell, x: Axis, y: Axis, [width, height, bottom]: readonly [number, number, number]): SVGGElement {
    const left = LEFT + cell.x * width + 1;
    const top = bottom - (cell.y + 1) * height + 1;
    const where = [x, y].map((axis, k) => axis.name && `${plain(axis.name)} ${axis.labels[k ? cell.y : cell.x] ?? ""}`);
    const told = `${where.filter(Boolean).join(", ")}: ${inWords(cell.verdicts)}`;
    const open = (): void => this.choose(cell.task);
    return draw("g", {
      class: "place", tabindex: 0, role: "button", "aria-label": told, onclick: open,
      onkeydown: (event) => {
        if ((event as KeyboardEvent).key === "Enter") open();
      },
    }, ...stripes(cell.verdicts, left, top, width - 2, height - 2),
    mark(cell.verdicts, left + width / 2 - 1, top + height / 2 - 1), draw("title", {}, told));
  }

  private showTiles(found: Tiles): void {
    this.turns(found.next);
    const from = (this.starts.length - 1) * LIMIT;
    const more = found.next !== null || from ? `, from ${number(from + 1)} on` : "";
    say(byId("map-note"), `${count(found.tiles.length, "task")}${more}`);
    const columns = Math.max(10, Math.floor((this.box.clientWidth - 34) / TILE));
    const tiles = found.tiles.map((one, k) => {
      const left = (k % columns) * TILE;
      const top = Math.floor(k / columns) * TILE;
      return draw("g", { class: "place", onclick: () => this.choose(one.task) },
        draw("rect", {
          class: `tone-${toneOf(one.verdict)}`, x: left, y: top, rx: 2, width: TILE - 2, height: TILE - 2,
        }),
        mark({ [one.verdict]: 1 }, left + TILE / 2 - 1, top + TILE / 2 - 1),
        draw("title", {}, `${one.name || "task"} ${one.task}: ${one.verdict}`));
    });
    const height = Math.ceil(found.tiles.length / columns) * TILE;
    const counts: Record<string, number> = {};
    for (const one of found.tiles) counts[one.verdict] = (counts[one.verdict] ?? 0) + 1;
    const title = inWords(counts) || "no tasks";
    const drawing = draw("svg", { width: columns * TILE, height, role: "img", "aria-label": title }, ...tiles);
    refill(this.box, drawing, make("p", { class: "hint" }, inWords(counts)), legend());
  }

  private turns(next: number | null): void {
    this.next = next;
    byId("map-before").hidden = this.starts.length < 2;
    byId("map-after").hidden = next === null;
  }
}

/** Return the axes a map has at first: of what was put in, the two numbers that have the fewest values. */
export function proposed(keywords: readonly Keyword[]): readonly string[] {
  const came = (one: Keyword): number => Number(!one.name.startsWith("task:"));
  const fit = keywords.filter((one) => one.numeric && one.values > 1);
  const order = [...fit].sort((a, b) => came(a) - came(b) || a.values - b.values);
  return order.slice(0, 2).sort((a, b) => b.values - a.values).map((one) => one.name);
}

const plain = (name: string): string => name.slice(name.indexOf(":") + 1);

/** Offer names to choose from, and keep what was chosen. */
function options(select: HTMLSelectElement, names: readonly string[], none: string): void {
  const now = [...select.options].map((option) => option.value);
  if (now.length && now.join("\n") === ["", ...names].join("\n")) return;
  const chosen = select.value;
  const offered = names.map((name) => make("option", { value: name }, name.replace(":", ": ")));
  refill(select, make("option", { value: "" }, none), ...offered);
  select.value = names.includes(chosen) ? chosen : "";
}

function across(axis: Axis, width: number, bottom: number): SVGElement[] {
  const wide = axis.labels.length * width;
  const marks = axis.edges.length ? axis.edges.map((edge) => FIGURES.format(edge)) : axis.labels;
  const step = Math.ceil(marks.length / Math.max(1, Math.floor(wide / 34)));
  const found = marks.flatMap((text, k) => {
    if (k % step) return [];
    const at = LEFT + (axis.edges.length ? k : k + 0.5) * width;
    const transform = `rotate(35 ${at} ${bottom + 10})`;
    return [draw("text", { class: "soft", x: at, y: bottom + 16, transform }, short(text, 12))];
  });
  const name = `${plain(axis.name)}${axis.log ? " (equal ratios)" : ""}`;
  return [...found, draw("text", { x: LEFT + wide / 2, y: bottom + BOTTOM - 8, "text-anchor": "middle" }, name)];
}

function up(axis: Axis, height: number, bottom: number): SVGElement[] {
  const found = axis.labels.map((text, k) => draw("text", {
    class: "soft", x: LEFT - 8, y: bottom - (k + 0.5) * height + 4, "text-anchor": "end",
  }, short(text, 14)));
  const middle = bottom - (axis.labels.length * height) / 2;
  const turned = { x: 14, y: middle, "text-anchor": "middle", transform: `rotate(-90 14 ${middle})` };
  return [...found, draw("text", turned, plain(axis.name))];
}

const short = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** Return a rectangle for each verdict, as high as its share. */
function stripes(counts: Counts, x: number, y: number, width: number, height: number): SVGRectElement[] {
  const all = total(counts);
  let from = y;
  return VERDICTS.filter(([verdict]) => counts[verdict]).map(([verdict]) => {
    const high = (height * (counts[verdict] ?? 0)) / all;
    const found = draw("rect", { class: `tone-${toneOf(verdict)}`, x, y: from, width, height: high });
    from += high;
    return found;
  });
}

/** Return the sign of what all of a place have in common, for those who do not see colours. */
function mark(counts: Counts, x: number, y: number): SVGTextElement | null {
  const found = VERDICTS.filter(([verdict]) => counts[verdict]);
  const sign = found.length === 1 ? found[0]?.[1] : "";
  return sign ? draw("text", { class: "mark", x, y }, sign) : null;
}
