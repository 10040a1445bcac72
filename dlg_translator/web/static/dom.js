// Making elements. Texts are only ever text: nothing from a graph is read as markup.

export const byId = (id) => document.getElementById(id);

/** Return a new element; `attributes` with a value of false or null are left out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** Return a new element of a drawing. */
export function draw(tag, attributes = {}, text = "") {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.textContent = text;
  return element;
}

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

/** Return a number as people read it. */
export function number(value) {
  if (value === null || value === undefined) return "–";
  return Number.isInteger(value) ? WHOLE.format(value) : SHORT.format(value);
}

/** Return a number and its noun: 1 drop, 2 drops. */
export const count = (n, noun) => `${number(n)} ${noun}${n === 1 ? "" : "s"}`;

/** Fill a definition list. */
export function facts(list, pairs) {
  list.replaceChildren(...pairs.map(([name, value]) => (
    make("div", {}, make("dt", {}, name), make("dd", {}, value))
  )));
  list.hidden = false;
}
