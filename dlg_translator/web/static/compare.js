// Divisions side by side: their figures, the best of each marked.

import { byId, count, make, number } from "./dom.js";
import { colours } from "./colours.js";

const FIGURES = [
  ["total_data_movement", "Data moved", "The volume that moves between parts"],
  ["cut_edges", "Cut links", "Links between parts"],
  ["balance", "Balance", "The biggest load of a part over the average: 1 is even"],
  ["exec_time", "Completion", "The longest path: its apps, and what moves along it"],
];
const MOST_IN_LEGEND = 32;

export class Compare {
  constructor(onShow, onRemove) {
    Object.assign(this, { onShow, onRemove, results: [] });
  }

  clear() {
    this.results = [];
    this.shown = null;
    byId("compare").hidden = true;
    byId("legend").hidden = true;
  }

  add(result) {
    this.results.push(result);
    this.choose(result);
  }

  choose(result) {
    this.shown = result;
    this.draw();
    this.onShow(result);
  }

  remove(result) {
    this.results = this.results.filter((other) => other !== result);
    if (!this.results.length) {
      this.clear();
      this.onShow(null);
    } else if (result === this.shown) this.choose(this.results.at(-1));
    else this.draw();
  }

  draw() {
    const labels = FIGURES.map(([, label]) => label);
    const head = ["", "Algorithm", "Parts", "Islands", ...labels, "Computed in", ""];
    const cells = head.map((text, i) => make("th", {
      scope: "col", title: FIGURES[i - 4]?.[2] ?? null,
      class: i > 1 && i < head.length - 1 ? "figure" : null,
    }, text || make("span", { class: "hidden" }, i ? "Actions" : "Shown")));
    byId("table").replaceChildren(
      make("thead", {}, make("tr", {}, ...cells)),
      make("tbody", {}, ...this.results.map((result) => this.row(result))),
    );
    const { objectives } = this.results[0];
    byId("bounds").textContent = this.bounds(objectives);
    byId("compare").hidden = false;
  }

  bounds({ min_exec_time, antichain, antichain_method, peak_parallelism }) {
    if (min_exec_time === null) return "The graph has a cycle, so it has no completion time.";
    const exact = antichain_method === "dilworth" ? "" : "at least ";
    return `Without moving anything the graph would complete in ${number(min_exec_time)}; `
      + `${exact}${count(antichain, "processor")} could be of use at once, `
      + `${number(peak_parallelism)} if everything starts as early as it can.`;
  }

  row(result) {
    const { objectives, asked } = result;
    const shown = result === this.shown;
    const id = `show-${result.id}`;
    const radio = make("input", {
      type: "radio", name: "shown", id, checked: shown, onchange: () => this.choose(result),
    });
    const { algorithm, parts, islands, ...options } = asked;
    const details = Object.entries(options).map(([name, value]) => `${name} ${value}`).join(", ");
    const name = make("th", { scope: "row" }, make("label", { for: id }, objectives.algo),
      details ? make("small", {}, ` ${details}`) : null);
    return make("tr", { class: shown ? "shown" : null },
      make("td", {}, radio), name,
      make("td", { class: "figure" }, number(objectives.num_parts)),
      make("td", { class: "figure" }, number(objectives.num_islands)),
      ...FIGURES.map(([key]) => this.figure(key, result)),
      make("td", { class: "figure" }, result.seconds ? seconds(result.seconds) : "–"),
      make("td", { class: "actions" },
        make("a", { href: `api/partitions/${result.id}/file`, download: "", class: "button" }, "Download"),
        make("button", {
          type: "button", "aria-label": `Remove ${objectives.algo}`, onclick: () => this.onRemove(result),
        }, "×")));
  }

  figure(key, { objectives }) {
    const value = objectives[key];
    const known = this.results.map((result) => result.objectives).filter((o) => o[key] !== null);
    // One part moves nothing and is even by itself: only its completion competes.
    const competes = (o) => o.num_parts > 1 || key === "exec_time";
    const rivals = known.filter(competes).map((o) => o[key]);
    const best = rivals.length > 1 && competes(objectives) && value === Math.min(...rivals)
      && value < Math.max(...rivals);
    const words = make("span", { class: "hidden" }, " best ");
    const star = make("span", { class: "star", title: "the best" }, "★", words);
    const most = Math.max(...known.map((o) => o[key]), 1e-9);
    const bar = make("span", { class: "level", "aria-hidden": "true" });
    bar.style.width = `${value === null ? 0 : (100 * value) / most}%`;
    return make("td", { class: best ? "figure best" : "figure" },
      best ? star : null, number(value), bar);
  }
}

const seconds = (value) => (value < 0.1
  ? `${number(Math.max(Math.round(value * 1000), 1))} ms`
  : `${value.toPrecision(value < 100 ? 2 : 3)} s`);

/** Show which colour is which part; `onPart` is told the part to show alone, or null. */
export function showLegend(result, onPart) {
  const place = byId("legend");
  place.hidden = !result;
  if (!result) return;
  let alone = null;
  const chips = result.parts.slice(0, MOST_IN_LEGEND).map(({ part, drops, island, load }) => {
    const swatch = make("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = colours(part).light;
    swatch.style.borderColor = colours(part).dark;
    const unit = make("span", { class: "hidden" }, " drops");
    const chip = make("button", {
      type: "button", "aria-pressed": "false",
      title: `part ${part} in island ${island}: ${count(drops, "drop")}, load ${number(load)}`,
    }, swatch, `${part}`, make("small", {}, ` ${number(drops)}`), unit);
    chip.addEventListener("click", () => {
      alone = alone === part ? null : part;
      for (const other of place.querySelectorAll("button")) {
        other.setAttribute("aria-pressed", String(other === chip && alone !== null));
      }
      onPart(alone);
    });
    return chip;
  });
  const more = result.parts.length - chips.length;
  place.replaceChildren(
    make("span", {}, `${count(result.parts.length, "part")} by ${result.objectives.algo}:`), ...chips,
    more > 0 ? make("span", {}, `and ${number(more)} more`) : "",
  );
}
