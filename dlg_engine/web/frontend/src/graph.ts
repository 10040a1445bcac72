// The drawing of a graph: WebGL by sigma, with places that the server has worked out.

import Graph from "graphology";
import Sigma from "sigma";
import { NodeSquareProgram } from "@sigma/node-square";
import { NodeCircleProgram } from "sigma/rendering";
import { drawFrame, drawHover, drawLabel, type Marked } from "./labels";
import { leadingTone, type Store } from "./store";
import { TONE_COUNT, type Tone } from "./states";
import { palette, type Palette } from "./theme";
import type { View } from "./types";

export interface Choices {
  readonly drop: (row: number) => void;
  readonly group: (group: number) => void;
  readonly nothing: () => void;
}

interface Node extends Marked {
  x: number;
  y: number;
  type: string;
  row: number;
}

/** Squares that are named and marked as circles are, not in their own way. */
class Square extends NodeSquareProgram {
  constructor(...given: ConstructorParameters<typeof NodeSquareProgram>) {
    super(...given);
    Object.assign(this, { drawLabel: undefined, drawHover: undefined });
  }
}

/** Up to how many nodes each has its name. */
const NAMED = 320;

/** A graph on the screen, coloured by the states in a store. */
export class Drawing {
  private sigma: Sigma | null = null;
  private graph = new Graph({ type: "directed", multi: false });
  private palette: Palette = palette();
  private nodeOfRow = new Map<number, string>();
  private only: ((key: number) => boolean) | null = null;
  private chosen: number | null = null;
  private view: View | null = null;

  constructor(
    private readonly box: HTMLElement,
    private readonly store: () => Store,
    private readonly choices: Choices,
  ) {
    box.addEventListener("keydown", (event) => {
      if (this.key(event.key)) event.preventDefault();
    });
    new ResizeObserver(() => this.resize()).observe(box);
  }

  /** Draw a view; what was drawn before is gone. */
  show(view: View): void {
    this.view = view;
    this.sigma?.kill();
    this.graph = new Graph({ type: "directed", multi: false });
    this.nodeOfRow.clear();
    this.addNodes(view);
    this.addEdges(view);
    this.sigma = this.start(view);
  }

  /** Let the colours of these rows, and of the groups they are in, be shown anew. */
  changed(rows: readonly number[]): void {
    if (!this.sigma) return;
    const keys = new Set<string>();
    for (const row of rows) {
      const own = this.nodeOfRow.get(row) ?? this.nodeOfRow.get(-1 - this.store().group(row));
      if (own !== undefined) keys.add(own);
    }
    if (!keys.size) return;
    this.sigma.refresh({ partialGraph: { nodes: [...keys] }, skipIndexation: true, schedule: true });
  }

  /** Fade all nodes but those for whose row (or -1 - group) `only` holds; null shows all. */
  highlight(only: ((row: number) => boolean) | null): void {
    this.only = only;
    this.sigma?.refresh({ skipIndexation: true, schedule: true });
  }

  /** Mark a drop, or -1 - group; the camera goes there if it is told to. */
  choose(row: number | null, go = false): void {
    this.chosen = row;
    if (!this.sigma) return;
    this.sigma.refresh({ skipIndexation: true, schedule: true });
    const at = row === null ? null : this.place(row);
    if (!at || !go || this.inSight(at)) return;
    const camera = this.sigma.getCamera();
    const middle = this.sigma.viewportToFramedGraph(at);
    void camera.animate({ ...middle, ratio: Math.min(camera.ratio, this.closeUp()) });
  }

  /** Return whether a drop, or -1 - group, is drawn. */
  has(row: number): boolean {
    return this.nodeOfRow.has(row);
  }

  /** Return where on the screen a drop, or -1 - group, is drawn. */
  place(row: number): { x: number; y: number } | null {
    const key = this.nodeOfRow.get(row);
    if (key === undefined || !this.sigma) return null;
    const { x, y } = this.graph.getNodeAttributes(key) as { x: number; y: number };
    return this.sigma.graphToViewport({ x, y });
  }

  /** Return whether a point on the screen is well within the drawing, and its node is not tiny. */
  private inSight(at: { x: number; y: number }): boolean {
    const { clientWidth: width, clientHeight: height } = this.box;
    if (!width || !height) return true; // nobody sees it now
    const inside = at.x > 40 && at.y > 40 && at.x < width - 40 && at.y < height - 40;
    return inside && (this.graph.order <= NAMED || (this.sigma?.getCamera().ratio ?? 1) < 0.6);
  }

  /** Show everything. */
  fit(): void {
    void this.sigma?.getCamera().animate({ x: 0.5, y: 0.5, ratio: 1, angle: 0 });
  }

  /** Come nearer, or go away. */
  zoom(nearer: boolean): void {
    const camera = this.sigma?.getCamera();
    void (nearer ? camera?.animatedZoom({ factor: 1.5 }) : camera?.animatedUnzoom({ factor: 1.5 }));
  }

  /** Take the colours of the present scheme. */
  recolour(): void {
    this.palette = palette();
    if (this.view) this.show(this.view);
  }

  /** Fit the space that is there. */
  resize(): void {
    if (!this.sigma || !this.box.clientWidth || !this.box.clientHeight) return;
    this.sigma.resize();
    this.sigma.refresh({ skipIndexation: true, schedule: true });
  }

  private addNodes(view: View): void {
    const detailed = view.rows.length <= NAMED;
    view.rows.forEach((row, k) => {
      const group = row < 0 ? -1 - row : view.group_of[row] ?? 0;
      const { kind = "data", category = "", size = 1 } = view.groups[group] ?? {};
      this.graph.addNode(String(k), {
        x: view.x[k] ?? 0,
        y: -(view.y[k] ?? 0),
        size: sizeOf(view, row),
        type: kind === "data" ? "circle" : "square",
        label: view.labels[k] ?? "",
        detail: category,
        count: row < 0 ? size : 0,
        group,
        row,
        color: "#000",
        forceLabel: detailed,
        chosen: false,
        faded: false,
        tone: 0,
        shares: null,
      } satisfies Node & Record<string, unknown>);
      this.nodeOfRow.set(row, String(k));
    });
  }

  private addEdges(view: View): void {
    const wide = view.room[0] > 100 ? 1.7 : 0.9;
    for (const [from, to, weight] of view.edges) {
      const size = wide * (weight === undefined ? 1 : Math.min(3, 1 + Math.log10(Math.max(1, weight)) / 2));
      this.graph.mergeEdge(String(from), String(to), { size });
    }
  }

  private start(view: View): Sigma {
    const roomy = view.rows.length <= NAMED;
    const sigma = new Sigma(this.graph, this.box, {
      allowInvalidContainer: true,
      itemSizesReference: "positions",
      zoomToSizeRatioFunction: (ratio) => ratio,
      minCameraRatio: 0.002,
      maxCameraRatio: 3,
      stagePadding: view.frame ? 96 : roomy ? 48 : 24,
      defaultEdgeType: roomy ? "arrow" : "line",
      defaultEdgeColor: roomy ? this.palette.edge : this.palette.faintEdge,
      nodeProgramClasses: { circle: NodeCircleProgram, square: Square },
      hideEdgesOnMove: this.graph.size > 20_000,
      labelRenderedSizeThreshold: roomy ? 4 : 9,
      labelDensity: roomy ? 100 : 1,
      labelGridCellSize: 110,
      zIndex: true,
      minEdgeThickness: roomy ? 1.5 : 0.5,
      defaultDrawNodeLabel: (context, data) => drawLabel(context, data as unknown as Marked, this.palette),
      defaultDrawNodeHover: (context, data) => drawHover(context, data as unknown as Marked, this.palette),
      nodeReducer: (_key, data) => this.dressed(data as Node),
    });
    sigma.on("clickNode", ({ node }) => this.clicked(node));
    sigma.on("clickStage", () => this.choices.nothing());
    sigma.on("enterNode", () => this.box.classList.add("pointing"));
    sigma.on("leaveNode", () => this.box.classList.remove("pointing"));
    if (view.frame) this.framed(sigma, view.frame);
    return sigma;
  }

  private framed(sigma: Sigma, frame: readonly number[]): void {
    sigma.createCanvas("frame", { beforeLayer: "edges" });
    sigma.resize(true); // a new layer has no size yet
    const canvas = sigma.getCanvases()["frame"];
    if (!canvas) return;
    const [left = 0, top = 0, right = 0, bottom = 0] = frame;
    sigma.on("afterRender", () => {
      const from = sigma.graphToViewport({ x: left, y: -top });
      const to = sigma.graphToViewport({ x: right, y: -bottom });
      drawFrame(canvas, from, to, this.palette);
    });
  }

  /** Return a node as it looks now. */
  private dressed(node: Node): Node {
    const store = this.store();
    const from = node.group * TONE_COUNT;
    const isGroup = node.row < 0;
    const tone = (isGroup ? leadingTone(store.histogram, from) : store.tone[node.row] ?? 0) as Tone;
    const faded = this.only !== null && !this.only(node.row);
    const chosen = node.row === this.chosen;
    return {
      ...node,
      tone,
      faded,
      chosen,
      color: faded ? this.palette.faded : this.palette.tones[tone] ?? "#888",
      shares: isGroup ? store.histogram.subarray(from, from + TONE_COUNT) : null,
      forceLabel: (node.forceLabel && !faded) || chosen,
      label: faded && !node.forceLabel ? "" : node.label,
      zIndex: faded ? 0 : 1,
    } as Node;
  }

  private clicked(key: string): void {
    const row = this.graph.getNodeAttribute(key, "row") as number;
    if (row < 0) this.choices.group(-1 - row);
    else this.choices.drop(row);
  }

  /** Do what a key says; return whether it says anything here. */
  private key(key: string): boolean {
    const camera = this.sigma?.getCamera();
    if (!camera) return false;
    const step = 0.12 * camera.ratio;
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step],
    };
    const move = moves[key];
    if (move) camera.setState({ x: camera.x + move[0], y: camera.y + move[1] });
    else if (key === "+" || key === "=") this.zoom(true);
    else if (key === "-") this.zoom(false);
    else if (key === "0" || key === "f") this.fit();
    else return false;
    return true;
  }

  /** Return how near the camera comes to show one drop among many. */
  private closeUp(): number {
    return Math.min(1, 12 / Math.sqrt(Math.max(1, this.graph.order)));
  }
}

function sizeOf(view: View, row: number): number {
  const [width, height] = view.room;
  if (width > 100) return row < 0 ? 20 : 15;
  if (row >= 0) return height * 0.36;
  const [left = 0, top = 0, right = 0, bottom = 0] = view.frame ?? [];
  return Math.max(20, Math.min(right - left, bottom - top) / 22);
}
