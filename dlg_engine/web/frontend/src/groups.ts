// Progress by node of the logical graph: a table whose rows are chosen to see where its drops are.

import { arrowKeys, make, say } from "./dom";
import { number, percent } from "./format";
import { TONE_COUNT, TONE_NAMES, TONE_ORDER, Tone } from "./states";
import { leadingTone, type Store } from "./store";
import type { Group } from "./types";

const MOST = 300;

interface Row {
  readonly element: HTMLTableRowElement;
  readonly bar: HTMLElement;
  readonly told: HTMLElement;
  readonly dot: HTMLElement;
}

/** The table of the nodes of the logical graph. */
export class GroupTable {
  private rows: Row[] = [];
  private store: Store | null = null;

  constructor(
    private readonly body: HTMLTableSectionElement,
    private readonly note: HTMLElement,
    private readonly choose: (group: number) => void,
  ) {
    arrowKeys(body, "button");
  }

  /** Show the groups of a graph. */
  show(groups: readonly Group[], store: Store): void {
    this.store = store;
    this.rows = groups.slice(0, MOST).map((group) => this.row(group));
    this.body.replaceChildren(...this.rows.map((row) => row.element));
    const left = groups.length - this.rows.length;
    say(this.note, left > 0 ? `and ${number(left)} more: search for them under Drops` : "");
    this.update();
  }

  /** Show how far they are now. */
  update(): void {
    const store = this.store;
    if (!store) return;
    this.rows.forEach((row, group) => {
      const from = group * TONE_COUNT;
      const counts = store.histogram;
      let size = 0;
      for (let tone = 0; tone < TONE_COUNT; tone += 1) size += counts[from + tone] ?? 0;
      const ended = size - store.inGroup(group, Tone.Waiting) - store.inGroup(group, Tone.Running);
      const failed = store.inGroup(group, Tone.Failed);
      row.dot.className = `dot tone-${leadingTone(counts, from)}`;
      const stands = size > 1 ? percent(ended, size) : TONE_NAMES[leadingTone(counts, from)];
      say(row.told, failed ? `${number(failed)} failed` : stands);
      row.told.classList.toggle("wrong", failed > 0);
      fillBar(row.bar, counts, from, size);
    });
  }

  /** Mark the group that is looked at; -1 for none. */
  mark(group: number): void {
    this.rows.forEach((row, k) => row.element.classList.toggle("shown", k === group));
  }

  private row(group: Group): Row {
    const dot = make("span", { class: "dot", "aria-hidden": "true" });
    const bar = make("span", { class: "bar", "aria-hidden": "true" });
    const told = make("td", { class: "figure" });
    const button = make(
      "button", { type: "button", class: "plain", onclick: () => this.choose(group.id) },
      make("span", { class: `shape ${group.kind === "data" ? "round" : "square"}`, "aria-hidden": "true" }),
      make("span", { class: "name", title: group.name }, group.name),
      make("small", {}, `${number(group.size)} × ${group.category}`), bar,
    );
    const element = make("tr", {}, make("td", {}, dot), make("th", { scope: "row" }, button), told);
    return { element, bar, told, dot };
  }
}

/** Let a bar show counts by tone. */
export function fillBar(bar: HTMLElement, counts: ArrayLike<number>, from: number, size: number): void {
  TONE_ORDER.forEach((tone, k) => {
    let part = bar.children[k] as HTMLElement | undefined;
    if (!part) {
      part = make("i", { class: `tone-${tone}` });
      bar.append(part);
    }
    const share = size ? (100 * (counts[from + tone] ?? 0)) / size : 0;
    // What is there at all is seen, be it one of a hundred thousand.
    part.style.flexBasis = share > 0 ? `max(2px, ${share.toFixed(2)}%)` : "0";
  });
}
