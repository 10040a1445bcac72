// A drawing to move about in: zoom, search, choose. It only sets attributes and text.

import { byId, make } from "./dom.js";

const LEAST_WIDTH = 60, LARGEST = 1.5, READABLE = 0.8;

export class Drawing {
  /** `onChoose` is told the id of a box or frame that was chosen, or null. */
  constructor(canvas, onChoose = () => {}) {
    this.canvas = canvas;
    this.onChoose = onChoose;
    this.svg = null;
    this.found = [];
    this.held = null;
    new ResizeObserver(() => { if (this.svg && !this.moved) this.fit(this.least); }).observe(canvas);
  }

  /** Show the SVG in `text`, or a drawing that was made here. */
  show(content) {
    this.clear();
    const svg = typeof content === "string"
      ? document.importNode(new DOMParser().parseFromString(content, "image/svg+xml").documentElement, true)
      : content;
    const { width, height } = svg.viewBox.baseVal;
    this.full = { x: 0, y: 0, w: Math.max(width, 1), h: Math.max(height, 1) };
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", "The drawing: arrow keys move it, plus and minus zoom, 0 fits it");
    svg.querySelector(":scope > title")?.remove();
    this.svg = svg;
    this.moved = false;
    this.listen();
    this.canvas.append(svg);
    this.fit(READABLE);
    this.look(byId("search").value);
  }

  clear() {
    this.svg?.remove();
    this.svg = null;
    byId("empty").hidden = true;
    this.choose(null);
  }

  set(view) {
    this.view = view;
    this.svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
  }

  /** Show all of it, but nothing smaller than `least` nor blown up. */
  fit(least = 0) {
    this.least = least;
    this.moved = false;
    const w = this.canvas.clientWidth || 1, h = this.canvas.clientHeight || 1;
    const factor = Math.max(Math.min(w / this.full.w, h / this.full.h, LARGEST), least);
    const view = { w: w / factor, h: h / factor };
    view.x = view.w > this.full.w ? (this.full.w - view.w) / 2 : 0;
    view.y = (this.full.h - view.h) / 2;
    this.set(view);
  }

  zoom(factor, at = null) {
    this.moved = true;
    const { x, y, w, h } = this.view;
    const point = at ?? { x: x + w / 2, y: y + h / 2 };
    const width = Math.min(Math.max(w / factor, LEAST_WIDTH), this.full.w * 8 + 2000);
    const real = w / width;
    const left = point.x - (point.x - x) / real, top = point.y - (point.y - y) / real;
    this.set({ x: left, y: top, w: width, h: h / real });
  }

  move(dx, dy) {
    this.moved = true;
    this.set({ ...this.view, x: this.view.x + dx, y: this.view.y + dy });
  }

  at(event) {
    return new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
  }

  centre(thing) {
    this.moved = true;
    const area = thing.getBBox();
    const w = Math.min(this.view.w, Math.max(900, area.width * 1.2)), h = (this.view.h * w) / this.view.w;
    this.set({ x: area.x + area.width / 2 - w / 2, y: area.y + area.height / 2 - h / 2, w, h });
  }

  thing(id) {
    return this.svg?.querySelector(`[data-id="${CSS.escape(id)}"]`) ?? null;
  }

  /** Choose the box or frame `id` and bring it into the middle; return whether it is there. */
  point(id) {
    const thing = this.thing(id);
    if (thing) {
      this.centre(thing);
      this.choose(thing);
    }
    return Boolean(thing);
  }

  choose(thing) {
    const panel = byId("facts");
    const id = thing?.dataset.id ?? null;
    for (const other of this.canvas.querySelectorAll(".box, .frame")) {
      other.classList.toggle("chosen", other === thing);
    }
    for (const line of this.canvas.querySelectorAll(".line")) {
      line.classList.toggle("near", line.dataset.from === id || line.dataset.to === id);
    }
    this.svg?.classList.toggle("choosing", Boolean(thing));
    panel.hidden = !thing;
    const told = thing ? thing.querySelector("title").textContent.split("\n") : [];
    panel.replaceChildren(...told.map((text) => make("div", {}, text)));
    this.onChoose(id, panel);
  }

  look(words) {
    if (!this.svg) return;
    const text = words.trim().toLowerCase();
    const boxes = [...this.svg.querySelectorAll(".box")];
    const has = (box) => box.querySelector("title").textContent.toLowerCase().includes(text);
    this.found = text ? boxes.filter(has) : [];
    this.next = 0;
    for (const box of boxes) box.classList.toggle("found", this.found.includes(box));
    this.svg.classList.toggle("searching", Boolean(text));
    byId("found").textContent = text ? `${this.found.length} found` : "";
  }

  toNext() {
    if (!this.found.length) return;
    const thing = this.found[this.next++ % this.found.length];
    this.centre(thing);
    this.choose(thing);
  }

  /** Show only the boxes that have drops in `part`; all if it is null. */
  showPart(part) {
    if (!this.svg) return;
    this.svg.classList.toggle("part-only", part !== null);
    for (const box of this.svg.querySelectorAll(".box")) {
      const own = (box.dataset.parts ?? "").split(" ").includes(String(part));
      box.classList.toggle("other", part !== null && !own);
    }
  }

  /** Return the drawing as a file, whole and as it is painted. */
  file() {
    const copy = this.svg.cloneNode(true);
    const { w, h } = this.full;
    copy.setAttribute("viewBox", `0 0 ${w} ${h}`);
    copy.setAttribute("width", w);
    copy.setAttribute("height", h);
    copy.removeAttribute("class");
    return new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
  }

  listen() {
    const svg = this.svg;
    svg.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * 0.0016), this.at(event));
    }, { passive: false });
    svg.addEventListener("pointerdown", (event) => {
      this.held = { x: event.clientX, y: event.clientY, view: this.view, moved: false };
    });
    svg.addEventListener("pointermove", (event) => this.drag(event));
    svg.addEventListener("pointerup", (event) => {
      const { target } = event;
      if (this.held && !this.held.moved) this.choose(target.closest(".box") ?? target.closest(".frame"));
      this.held = null;
      svg.classList.remove("moving");
    });
    svg.addEventListener("keydown", (event) => this.key(event));
  }

  drag(event) {
    if (!this.held || !event.buttons) return;
    const dx = event.clientX - this.held.x, dy = event.clientY - this.held.y;
    if (!this.held.moved && Math.hypot(dx, dy) < 4) return;
    if (!this.held.moved) this.svg.setPointerCapture(event.pointerId);
    this.held.moved = this.moved = true;
    this.svg.classList.add("moving");
    const scale = this.canvas.clientWidth / this.held.view.w;
    this.set({ ...this.held.view, x: this.held.view.x - dx / scale, y: this.held.view.y - dy / scale });
  }

  key(event) {
    const step = this.view.w / 8;
    const moves = {
      ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step],
    };
    if (event.key in moves) this.move(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoom(1.25);
    else if (event.key === "-") this.zoom(0.8);
    else if (event.key === "0") this.fit();
    else if (event.key === "Escape") this.choose(null);
    else return;
    event.preventDefault();
  }
}
