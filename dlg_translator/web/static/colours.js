// The colours of parts, and painting a drawing with them. A part is never told by colour alone:
// boxes also bear its number.

import { draw } from "./dom.js";

const FIRST = [
  ["#bfdcf6", "#1f6fb5"], ["#fcd3a8", "#bf640c"], ["#c2e5b8", "#36852a"], ["#f7c4d7", "#b3306a"],
  ["#d9cdf4", "#6745b3"], ["#f5e79d", "#8a7000"], ["#b3e6df", "#177a6e"], ["#f8c0b8", "#b23527"],
  ["#e2cfbb", "#7a522c"], ["#ddeca6", "#5f7a10"], ["#d5dbe1", "#515e6b"], ["#eec6f0", "#8d3595"],
];

/** Return the light and the dark colour of part `k`. */
export function colours(k) {
  if (k < FIRST.length) return { light: FIRST[k][0], dark: FIRST[k][1] };
  const hue = (k * 137.508) % 360, pale = k % 2 ? 80 : 87;
  return { light: hex(hue, 62, pale), dark: hex(hue, 60, 34) };
}

function hex(hue, saturation, lightness) {
  const l = lightness / 100, a = (saturation / 100) * Math.min(l, 1 - l);
  const part = (n) => {
    const k = (n + hue / 30) % 12;
    const value = l - a * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(255 * value).toString(16).padStart(2, "0");
  };
  return `#${part(0)}${part(8)}${part(4)}`;
}

/** Paint the boxes of a drawing: `boxes[id]` lists the parts of box `id` as [part, drops]. */
export function paint(svg, boxes) {
  for (const mark of svg.querySelectorAll(".mark")) mark.remove();
  for (const box of svg.querySelectorAll(".box")) {
    const shares = boxes?.[Number(box.dataset.id)] ?? [];
    const shapes = box.querySelectorAll("path");
    for (const shape of shapes) {
      shape.dataset.fill ??= shape.getAttribute("fill");
      shape.dataset.stroke ??= shape.getAttribute("stroke");
      const own = shares.length === 1 ? colours(shares[0][0]) : null;
      shape.setAttribute("fill", own ? own.light : boxes ? "#ffffff" : shape.dataset.fill);
      shape.setAttribute("stroke", own ? own.dark : shape.dataset.stroke);
    }
    box.dataset.parts = shares.map(([part]) => part).join(" ");
    if (shares.length) mark(box, shapes[shapes.length - 1], shares);
  }
}

function mark(box, shape, shares) {
  const area = shape.getBBox();
  if (shares.length > 1) stripes(box, area, shares);
  const text = shares.length > 1 ? `${shares.length} parts` : String(shares[0][0]);
  const width = 9 + 6.2 * text.length;
  const tag = draw("g", { class: "mark" });
  const { dark } = shares.length > 1 ? { dark: "#45525f" } : colours(shares[0][0]);
  const x = area.x + area.width - width + 4, y = area.y - 7;
  tag.append(
    draw("rect", { x, y, width, height: 15, rx: 7.5, fill: dark, stroke: "#fff" }),
    draw("text", {
      x: x + width / 2, y: y + 11, fill: "#fff", "font-size": 10, "font-weight": 600,
      "text-anchor": "middle",
    }, text),
  );
  box.append(tag);
}

function stripes(box, area, shares) {
  const total = shares.reduce((sum, [, drops]) => sum + drops, 0);
  const room = area.width - 20;
  const group = draw("g", { class: "mark" });
  let x = area.x + 10;
  for (const [part, drops] of [...shares].sort(([a], [b]) => a - b)) {
    const width = (room * drops) / total;
    const { light, dark } = colours(part);
    group.append(draw("rect", {
      x, y: area.y + area.height - 3.5, width: Math.max(width, 0.5), height: 7, fill: light,
      stroke: dark, "stroke-width": 0.7, class: "stripe", "data-part": part,
    }));
    x += width;
  }
  box.append(group);
}
