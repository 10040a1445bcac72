// The form of algorithms: each can be ticked, and has its own options.

import { make } from "./dom.js";

const PROPOSED = new Set(["metis"]);

export class Algorithms {
  constructor(place) {
    this.place = place;
    this.entries = [];
  }

  show(table, chosen = "") {
    const known = table.some((entry) => entry.name === chosen);
    const ticked = ({ name }) => (known ? name === chosen : PROPOSED.has(name));
    this.entries = table.map((entry) => this.entry(entry, ticked(entry)));
    this.place.append(...this.entries.map(({ element }) => element));
  }

  entry(algorithm, ticked) {
    const id = `algorithm-${algorithm.name}`;
    const tick = make("input", { type: "checkbox", id, checked: ticked });
    const fields = algorithm.options.map((option) => this.field(algorithm.name, option));
    const head = make("div", { class: "tick" }, tick, make("label", { for: id }, algorithm.name));
    const words = make("p", { class: "hint" }, algorithm.summary);
    const more = fields.length
      ? make("details", { open: algorithm.options.some((option) => option.required) },
        make("summary", {}, `Options of ${algorithm.name}`), ...fields.map(({ element }) => element))
      : null;
    const body = make("div", { class: "under" }, words, more);
    body.hidden = !ticked;
    tick.addEventListener("change", () => { body.hidden = !tick.checked; });
    return { name: algorithm.name, tick, fields, element: make("div", { class: "algorithm" }, head, body) };
  }

  field(algorithm, option) {
    const id = `option-${algorithm}-${option.name}`;
    const numeric = option.type === "whole" || option.type === "real";
    const input = option.type === "flag"
      ? make("input", { type: "checkbox", id, checked: option.default === true })
      : make("input", {
        type: numeric ? "number" : "text", id, step: option.type === "real" ? "any" : null,
        value: option.default ?? "", placeholder: option.required ? "needed" : "automatic",
      });
    const help = option.help ? make("small", { id: `${id}-help` }, option.help) : null;
    if (help) input.setAttribute("aria-describedby", help.id);
    const label = make("label", { for: id }, option.name.replaceAll("_", " "));
    return { option, input, element: make("p", { class: "field" }, label, input, help) };
  }

  /** Return what is to be done: an algorithm and its options each. */
  chosen() {
    return this.entries.filter(({ tick }) => tick.checked).map(({ name, fields }) => {
      const options = {};
      for (const { option, input } of fields) {
        const value = option.type === "flag" ? input.checked : input.value.trim();
        if (value !== "" && String(value) !== String(option.default ?? "")) options[option.name] = value;
      }
      return { algorithm: name, options };
    });
  }
}
