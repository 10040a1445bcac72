// The form of what can be set in a graph: how big it gets on top, all the rest on demand.

import { count, make, number } from "./dom.js";

const BIG_LIST = 60;

export class Parameters {
  /** `onConfig` is told the id of another configuration; `onChange` how many values differ. */
  constructor(place, onConfig, onChange) {
    Object.assign(this, { place, onConfig, onChange });
  }

  show(graph, config) {
    this.changed = new Map();
    this.all = graph.parameters;
    this.filter = "";
    const main = this.all.filter((parameter) => parameter.main);
    this.place.replaceChildren(
      ...this.configurations(graph, config),
      ...graph.placeholders.map((name) => this.placeholder(name)),
      ...main.map((parameter) => this.field(parameter, `${parameter.owner}: ${parameter.name}`)),
      this.others(graph),
    );
    this.onChange(0);
  }

  /** Return the values that differ from those in the graph. */
  values() {
    return Object.fromEntries(this.changed);
  }

  configurations(graph, config) {
    if (!graph.configurations.length) return [];
    const options = graph.configurations.map(({ id, name }) => {
      const active = id === graph.active_config ? " (active)" : "";
      return make("option", { value: id, selected: id === config }, name + active);
    });
    if (!graph.active_config) options.unshift(make("option", { value: "", selected: !config }, "none"));
    const select = make("select", { id: "config", onchange: () => this.onConfig(select.value) }, ...options);
    return [make("p", { class: "field" }, make("label", { for: "config" }, "Configuration"), select)];
  }

  placeholder(name) {
    const id = `placeholder-${name}`;
    const input = make("input", { id, type: "text", required: true, autocomplete: "off" });
    input.addEventListener("input", () => this.note(name, "", input.value));
    return make("p", { class: "field" }, make("label", { for: id }, `~${name}`), input);
  }

  others(graph) {
    this.box = make("details", { id: "all-parameters" });
    this.list = make("div", { class: "owners" });
    this.search = make("input", {
      type: "search", id: "parameter-search", placeholder: "Node or parameter",
    });
    this.search.addEventListener("input", () => this.fill(this.search.value));
    const total = this.all.length + graph.more_parameters;
    this.box.append(
      make("summary", {}, `All ${count(total, "parameter")}`),
      make("p", { class: "field" }, make("label", { for: "parameter-search" }, "Find"), this.search),
      this.list,
    );
    this.box.addEventListener("toggle", () => { if (this.box.open) this.fill(this.search.value); });
    return this.box;
  }

  /** Open the list of all parameters at those of one node. */
  showNode(id) {
    const own = this.all.find((parameter) => parameter.owner_id === id);
    if (!own) return false;
    this.search.value = own.owner;
    this.box.open = true;
    this.fill(own.owner);
    this.box.scrollIntoView({ block: "nearest" });
    return true;
  }

  fill(words) {
    const text = words.trim().toLowerCase();
    const fits = (p) => `${p.owner} ${p.name} ${p.category}`.toLowerCase().includes(text);
    const chosen = this.all.filter(fits);
    const owners = new Map();
    for (const parameter of chosen.slice(0, BIG_LIST)) {
      const key = `${parameter.owner_id} ${parameter.owner}`;
      if (!owners.has(key)) owners.set(key, []);
      owners.get(key).push(parameter);
    }
    this.list.replaceChildren(...[...owners.values()].map((group) => (
      make("fieldset", {},
        make("legend", {}, group[0].owner, make("small", {}, ` ${group[0].category}`)),
        ...group.map((parameter) => this.field(parameter, parameter.name)))
    )));
    if (!chosen.length) this.list.append(make("p", {}, "Nothing is called that."));
    if (chosen.length > BIG_LIST) {
      const more = chosen.length - BIG_LIST;
      this.list.append(make("p", { class: "hint" }, `and ${number(more)} more: search for them`));
    }
  }

  field(parameter, label) {
    const id = `p${++this.serial}`;
    const shown = this.changed.get(parameter.key) ?? asText(parameter.value);
    const input = control(parameter, id, shown);
    input.addEventListener("input", () => {
      this.note(parameter.key, asText(parameter.value), input.value);
      for (const other of this.place.querySelectorAll("[data-key]")) {
        if (other.dataset.key === parameter.key && other !== input) other.value = input.value;
        if (other.dataset.key === parameter.key) this.mark(other);
      }
    });
    input.dataset.key = parameter.key;
    const row = make("p", { class: "field", title: parameter.help || null },
      make("label", { for: id }, label), input);
    this.mark(input);
    return row;
  }

  mark(input) {
    input.classList.toggle("changed", this.changed.has(input.dataset.key));
  }

  note(key, before, now) {
    if (now === before) this.changed.delete(key);
    else this.changed.set(key, now);
    this.onChange(this.changed.size);
  }

  serial = 0;
}

const asText = (value) => (
  value === null || value === undefined ? ""
    : typeof value === "object" ? JSON.stringify(value) : String(value)
);

function control(parameter, id, value) {
  const choices = parameter.type === "Boolean" ? ["true", "false"] : parameter.options;
  const known = choices.find((choice) => choice.toLowerCase() === value.toLowerCase());
  if (parameter.type === "Boolean" || (choices.length && known)) {
    const all = known ? choices : [value, ...choices];
    const options = all.map((choice) => make("option", {
      value: choice === known ? value : choice, selected: choice === known || choice === value,
    }, choice));
    return make("select", { id }, ...options);
  }
  if (value.length > 60 || value.includes("\n")) {
    return make("textarea", { id, rows: 3, spellcheck: "false", value });
  }
  const type = parameter.type === "Password" ? "password" : "text";
  const mode = { Integer: "numeric", Float: "decimal" }[parameter.type];
  return make("input", { id, type, inputmode: mode, value, autocomplete: "off", spellcheck: "false" });
}
