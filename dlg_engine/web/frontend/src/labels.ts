// What is drawn over the nodes of a graph: names, marks of their states, and how far groups are.

import { count, number, percent, shorten } from "./format";
import { Tone, TONE_ORDER } from "./states";
import { FONT, type Palette } from "./theme";

/** A node as labels see it: where it is on the screen, what it is called and how it stands. */
export interface Marked {
  x: number;
  y: number;
  size: number;
  label: string;
  detail: string;
  /** How many drops it stands for; 0 for a single one. */
  count: number;
  group: number;
  tone: number;
  color: string;
  chosen: boolean;
  faded: boolean;
  forceLabel: boolean;
  shares: ArrayLike<number> | null;
}

type Pen = CanvasRenderingContext2D;

/** Below so many pixels of radius a node has no name. */
const LEAST_PX = 5.5;

/** Draw the name of a node below it, and what its state is inside it. */
export function drawLabel(pen: Pen, node: Marked, colours: Palette): void {
  if (node.chosen) ring(pen, node, colours);
  if (node.faded || (node.size < LEAST_PX && !node.chosen)) return;
  if (node.count) drawShare(pen, node);
  else drawMark(pen, node);
  const scale = Math.min(1.5, Math.max(0.7, node.size / (node.count ? 18 : 15)));
  let y = node.y + node.size * (node.chosen ? 1.32 : 1) + 5 * scale;
  if (node.shares) {
    drawBar(pen, node, y, scale, colours);
    y += 10 * scale;
  }
  drawName(pen, node, y, 12.5 * scale, colours);
}

/** Draw the name of a node and what it is, centred below `top`. */
function drawName(pen: Pen, node: Marked, top: number, px: number, colours: Palette): void {
  let y = top;
  pen.textAlign = "center";
  pen.textBaseline = "top";
  pen.lineJoin = "round";
  pen.lineWidth = 3;
  pen.strokeStyle = colours.ground;
  const [name = "", rest = ""] = lines(node.label, 17);
  const detail = node.count ? count(node.count, "drop") : node.detail;
  for (const [text, weight, size, ink] of [
    [name, 600, px, colours.ink],
    [rest, 600, px, colours.ink],
    [shorten(detail, 21), 400, px * 0.86, colours.soft],
  ] as const) {
    if (!text) continue;
    pen.font = `${weight} ${size}px ${FONT}`;
    pen.strokeText(text, node.x, y);
    pen.fillStyle = ink;
    pen.fillText(text, node.x, y);
    y += size * 1.28;
    if (node.size < 9) break; // there is room for one line only
  }
}

/** Return a name in one line or two of at most `most` characters, parted where a word ends. */
export function lines(name: string, most: number): string[] {
  if (name.length <= most) return [name];
  const gaps = [...name.matchAll(/[\s_.\-/]/g)].map((match) => match.index + 1);
  const gap = gaps.filter((at) => at <= most + 1).at(-1);
  if (gap === undefined || gap < 4) return [shorten(name, most)];
  return [name.slice(0, gap).trimEnd(), shorten(name.slice(gap).trim(), most)];
}

/** Draw a node that is pointed at: a ring around it, and its name beside it where it has none. */
export function drawHover(pen: Pen, node: Marked, colours: Palette): void {
  ring(pen, node, colours);
  if (node.size >= LEAST_PX && node.forceLabel && !node.faded) return;
  const text = node.count ? `${node.label}  ·  ${number(node.count)} drops` : node.label;
  pen.font = `600 12.5px ${FONT}`;
  const width = pen.measureText(text).width + 18;
  const left = node.x + node.size + 8;
  pen.beginPath();
  pen.roundRect(left, node.y - 13, width, 26, 6);
  pen.fillStyle = colours.paper;
  pen.fill();
  pen.strokeStyle = colours.line;
  pen.lineWidth = 1;
  pen.stroke();
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  pen.fillStyle = colours.ink;
  pen.fillText(text, left + 9, node.y + 0.5);
}

/** Draw the frame around the drops of an opened group. */
export function drawFrame(
  canvas: HTMLCanvasElement, from: { x: number; y: number }, to: { x: number; y: number }, colours: Palette,
): void {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = canvas.clientWidth * ratio; // which clears it
  canvas.height = canvas.clientHeight * ratio;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.beginPath();
  pen.roundRect(from.x, from.y, to.x - from.x, to.y - from.y, 10);
  pen.fillStyle = colours.paper;
  pen.fill();
  pen.strokeStyle = colours.line;
  pen.lineWidth = 1.5;
  pen.stroke();
}

function ring(pen: Pen, node: Marked, colours: Palette): void {
  pen.beginPath();
  pen.arc(node.x, node.y, node.size * 1.32 + 3, 0, 2 * Math.PI);
  pen.strokeStyle = colours.accent;
  pen.lineWidth = 2.5;
  pen.stroke();
}

/** Draw how much of a group has ended, inside its node. */
function drawShare(pen: Pen, node: Marked): void {
  if (node.size < 11 || !node.shares) return;
  const open = (node.shares[Tone.Waiting] ?? 0) + (node.shares[Tone.Running] ?? 0);
  if (open === 0 || open === node.count) {
    drawMark(pen, node);
    return;
  }
  pen.font = `700 ${node.size * 0.62}px ${FONT}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = "#fff";
  pen.fillText(percent(node.count - open, node.count).replace(/[ <]/g, ""), node.x, node.y + 1);
}

/** Draw how many drops of a group are in which state, as a bar. */
function drawBar(pen: Pen, node: Marked, top: number, scale: number, colours: Palette): void {
  const shares = node.shares;
  if (!shares) return;
  const width = 84 * scale;
  const height = 5.5 * scale;
  let left = node.x - width / 2;
  pen.save();
  pen.beginPath();
  pen.roundRect(left, top, width, height, height / 2);
  pen.clip();
  for (const tone of TONE_ORDER) {
    const part = (width * (shares[tone] ?? 0)) / Math.max(1, node.count);
    if (part <= 0) continue;
    pen.fillStyle = colours.tones[tone] ?? "#888";
    pen.fillRect(left, top, part + 0.5, height);
    left += part;
  }
  pen.restore();
}

/** Draw a sign for the state, so that it can be told without its colour. */
function drawMark(pen: Pen, node: Marked): void {
  if (node.size < 7) return;
  const r = node.size * 0.42;
  const { x, y } = node;
  pen.beginPath();
  if (node.tone === Tone.Done || node.tone === Tone.Gone) {
    line(pen, [x - r, y + r * 0.05], [x - r * 0.25, y + r * 0.75], [x + r, y - r * 0.7]);
  } else if (node.tone === Tone.Failed) {
    line(pen, [x - r * 0.75, y - r * 0.75], [x + r * 0.75, y + r * 0.75]);
    line(pen, [x + r * 0.75, y - r * 0.75], [x - r * 0.75, y + r * 0.75]);
  } else if (node.tone === Tone.Running) {
    line(pen, [x - r * 0.5, y - r * 0.85], [x + r * 0.85, y], [x - r * 0.5, y + r * 0.85]);
  } else if (node.tone === Tone.Skipped) {
    line(pen, [x - r * 0.9, y - r * 0.7], [x, y], [x - r * 0.9, y + r * 0.7]);
    line(pen, [x, y - r * 0.7], [x + r * 0.9, y], [x, y + r * 0.7]);
  } else if (node.tone === Tone.Cancelled) line(pen, [x - r * 0.8, y], [x + r * 0.8, y]);
  else return;
  pen.lineCap = "round";
  pen.lineJoin = "round";
  pen.lineWidth = Math.max(1.6, node.size * 0.16);
  if (node.tone === Tone.Running) {
    pen.closePath();
    pen.fillStyle = "#fff";
    pen.fill();
    return;
  }
  pen.strokeStyle = "#fff";
  pen.stroke();
}

function line(pen: Pen, ...points: readonly (readonly [number, number])[]): void {
  points.forEach(([x, y], k) => (k ? pen.lineTo(x, y) : pen.moveTo(x, y)));
}
