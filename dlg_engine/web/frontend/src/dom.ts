// Making elements. Texts are only ever text: nothing from a graph is read as markup.

export type Child = Node | string | null | undefined | false;
export type Attributes = Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>;

/** Return the element with an id that the page is known to have. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

/** Return a new element; attributes that are false, null or undefined are left out. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child): child is Node | string => Boolean(child) || child === ""));
  return element;
}

/** Set the text of an element, and touch nothing where it is the same: screen readers repeat it. */
export function say(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Run `work` at most once every `delay_ms`, and once more after the last call. */
export function throttled(work: () => void, delay_ms: number): () => void {
  let timer = 0;
  let last = -Infinity;
  return () => {
    if (timer) return;
    const wait = Math.max(0, last + delay_ms - performance.now());
    timer = window.setTimeout(() => {
      timer = 0;
      last = performance.now();
      work();
    }, wait);
  };
}

/** Run `work` once before the next frame, however often it is asked for. */
export function framed(work: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}

/** Let the arrow keys move the focus between the elements that `selector` finds in `box`. */
export function arrowKeys(box: HTMLElement, selector: string): void {
  box.addEventListener("keydown", (event) => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined) return;
    const all = [...box.querySelectorAll<HTMLElement>(selector)];
    const active = document.activeElement;
    const here = all.findIndex((one) => one === active || one.contains(active));
    if (here < 0) return;
    event.preventDefault();
    all[Math.min(all.length - 1, Math.max(0, here + step))]?.focus();
  });
}

let pressed: Node | null = null;
const waiting = new Map<HTMLElement, readonly Node[]>();

document.addEventListener("pointerdown", (event) => (pressed = event.target as Node));
for (const name of ["pointerup", "pointercancel"]) {
  document.addEventListener(name, () => {
    // The click comes after this, and has to find what was pressed.
    window.setTimeout(() => {
      pressed = null;
      for (const [box, children] of waiting) box.replaceChildren(...children);
      waiting.clear();
    });
  });
}

/** Give an element other children; while one of the present ones is being pressed, after that. */
export function refill(box: HTMLElement, ...children: Node[]): void {
  if (pressed && box.contains(pressed)) waiting.set(box, children);
  else box.replaceChildren(...children);
}
