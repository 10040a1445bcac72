"use strict";
// Moves, zooms and searches the drawing on this page. It only sets attributes and text: nothing of
// the graph is ever read as markup.
(() => {
  const svg = document.querySelector("main svg");
  const search = document.querySelector("#search");
  const count = document.querySelector("#count");
  const panel = document.querySelector("#facts");
  const boxes = [...svg.querySelectorAll(".box")];
  const lines = [...svg.querySelectorAll(".line")];
  const whole = svg.viewBox.baseVal;
  const full = { x: 0, y: 52, w: whole.width, h: Math.max(whole.height - 52, 1) };
  let view = { ...full };

  const show = () => svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
  const scale = () => Math.min(svg.clientWidth / view.w, svg.clientHeight / view.h);

  // Small graphs are not blown up to the size of the window; big ones start where they can be read.
  function fit(least) {
    const room = { w: svg.clientWidth, h: svg.clientHeight };
    const factor = Math.max(Math.min(room.w / full.w, room.h / full.h, 1.6), least);
    const w = room.w / factor, h = room.h / factor;
    const x = w > full.w ? full.x - (w - full.w) / 2 : full.x;
    view = { x, y: full.y - (h - full.h) / 2, w, h };
    show();
  }

  function zoom(factor, at) {
    const px = at ? at.x : view.x + view.w / 2, py = at ? at.y : view.y + view.h / 2;
    const w = Math.min(Math.max(view.w / factor, 60), full.w * 8 + 2000);
    const real = view.w / w;
    view = { x: px - (px - view.x) / real, y: py - (py - view.y) / real, w, h: view.h / real };
    show();
  }

  function point(event) {
    return new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  }

  function centre(box) {
    const area = box.getBBox();
    const w = Math.min(view.w, 900), h = (view.h * w) / view.w;
    view = { x: area.x + area.width / 2 - w / 2, y: area.y + area.height / 2 - h / 2, w, h };
    show();
  }

  const factsOf = (box) => box.querySelector("title").textContent;

  let found = [], next = 0;
  function look() {
    const words = search.value.trim().toLowerCase();
    found = words ? boxes.filter((box) => factsOf(box).toLowerCase().includes(words)) : [];
    next = 0;
    for (const box of boxes) box.classList.toggle("found", found.includes(box));
    svg.classList.toggle("searching", Boolean(words));
    count.textContent = words ? `${found.length} found` : "";
  }

  function choose(box) {
    for (const other of boxes) other.classList.toggle("chosen", other === box);
    const id = box ? box.dataset.id : null;
    for (const line of lines) {
      line.classList.toggle("near", line.dataset.from === id || line.dataset.to === id);
    }
    svg.classList.toggle("chosen", Boolean(box));
    panel.hidden = !box;
    panel.replaceChildren(...(box ? factsOf(box).split("\n") : []).map((text) => {
      const row = document.createElement("div");
      row.textContent = text;
      return row;
    }));
  }

  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * 0.0016), point(event));
  }, { passive: false });

  let held = null;
  svg.addEventListener("pointerdown", (event) => {
    held = { x: event.clientX, y: event.clientY, view: { ...view }, moved: false };
  });
  svg.addEventListener("pointermove", (event) => {
    if (!held) return;
    const dx = event.clientX - held.x, dy = event.clientY - held.y;
    if (!held.moved && Math.hypot(dx, dy) < 4) return;
    if (!held.moved) svg.setPointerCapture(event.pointerId);
    held.moved = true;
    svg.classList.add("moving");
    view = { ...held.view, x: held.view.x - dx / scale(), y: held.view.y - dy / scale() };
    show();
  });
  svg.addEventListener("pointerup", (event) => {
    if (held && !held.moved) choose(event.target.closest(".box"));
    held = null;
    svg.classList.remove("moving");
  });

  search.addEventListener("input", look);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && found.length) centre(found[next++ % found.length]);
    if (event.key === "Escape") { search.value = ""; look(); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.target === search) return;
    if (event.key === "+" || event.key === "=") zoom(1.25);
    else if (event.key === "-") zoom(0.8);
    else if (event.key === "0") fit(0);
    else if (event.key === "/") { event.preventDefault(); search.focus(); }
    else if (event.key === "Escape") choose(null);
  });
  document.querySelector("#in").addEventListener("click", () => zoom(1.25));
  document.querySelector("#out").addEventListener("click", () => zoom(0.8));
  document.querySelector("#fit").addEventListener("click", () => fit(0));
  window.addEventListener("resize", () => fit(0.6));
  fit(0.6);
})();
