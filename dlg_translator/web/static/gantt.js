// When what runs in which part, as a drawing like the others.

import { draw, number } from "./dom.js";
import { colours } from "./colours.js";

const LETTER = 5.4, LEAST_LETTERS = 3;
const LEFT = 70, WIDTH = 1000, LANE = 18, GAP = 12, TOP = 34;

/** Return the drawing of a chart. */
export function timeline(chart) {
  const scale = WIDTH / Math.max(chart.finish, 1e-9);
  const height = TOP + 20 + chart.parts.reduce((sum, part) => sum + Math.max(part.lanes, 1) * LANE + GAP, 0);
  const width = LEFT + WIDTH + 40;
  const svg = draw("svg", {
    viewBox: `0 0 ${width} ${height}`, "font-family": "Inter, Helvetica, Arial, sans-serif",
  });
  svg.append(
    draw("rect", { class: "paper", width, height, fill: "#fff" }), axis(chart.finish, scale, height),
  );
  let y = TOP;
  for (const part of chart.parts) {
    y += section(svg, part, y, scale);
  }
  return svg;
}

function axis(finish, scale, height) {
  const group = draw("g", { class: "axis" });
  const step = niceStep(finish / 8);
  for (let t = 0; t <= finish * 1.0001; t += step) {
    const x = LEFT + t * scale;
    group.append(
      draw("line", { x1: x, x2: x, y1: TOP - 6, y2: height - 14, stroke: "#dfe5ea" }),
      draw("text", { x, y: TOP - 13, "font-size": 11, fill: "#55626f", "text-anchor": "middle" }, number(t)),
    );
  }
  return group;
}

function niceStep(rough) {
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1e-9)));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? power * 10;
}

function section(svg, part, top, scale) {
  const room = Math.max(part.lanes, 1) * LANE;
  const { light, dark } = colours(part.part);
  svg.append(
    draw("rect", { x: LEFT, y: top, width: WIDTH, height: room, fill: light, "fill-opacity": 0.22 }),
    draw("text", {
      x: LEFT - 10, y: top + Math.min(room, LANE) / 2 + 4, "font-size": 12, "font-weight": 600, fill: dark,
      "text-anchor": "end",
    }, `part ${part.part}`),
  );
  for (const [lane, begin, end, name, oid] of part.bars) {
    const x = LEFT + begin * scale, width = Math.max((end - begin) * scale, 1), y = top + lane * LANE + 2;
    const bar = draw("g", { class: "box", "data-id": oid });
    bar.append(
      draw("title", {}, `${name}\n${oid}\nfrom ${number(begin)} to ${number(end)}`),
      draw("path", {
        d: `M${x} ${y}h${width}v${LANE - 4}h${-width}Z`, fill: light, stroke: dark, "stroke-width": 1,
      }),
    );
    const room = Math.floor((width - 8) / LETTER);
    if (room >= LEAST_LETTERS) {
      bar.append(draw("text", {
        x: x + width / 2, y: y + 11, "font-size": 10, fill: "#1f2933", "text-anchor": "middle",
      }, name.length > room ? `${name.slice(0, room - 1).trimEnd()}…` : name));
    }
    svg.append(bar);
  }
  return room + GAP;
}
