// Making drawings: elements of SVG. As everywhere, texts are only ever text.

import type { Attributes } from "./dom";

const NAMES = "http://www.w3.org/2000/svg";

/** Return a new element of a drawing; attributes that are false, null or undefined are left out. */
export function draw<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string | null)[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(NAMES, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== null));
  return element;
}
