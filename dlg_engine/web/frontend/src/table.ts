// The table of all drops: searched and filtered by the server, page by page.

import { get, inWords, sessionPath } from "./api";
import { arrowKeys, byId, make, refill, say } from "./dom";
import { count, nodeName, number } from "./format";
import { APP_STATES, DROP_STATES, FILTERS, NO_EXEC, toneOf, type Tone, TONE_NAMES } from "./states";
import type { ListedDrop } from "./types";

const LIMIT = 100;

interface Page {
  readonly total: number;
  readonly drops: readonly ListedDrop[];
  readonly next: number | null;
}

/** The table of the drops of a session. */
export class DropTable {
  private offset = 0;
  private asked = 0;
  text = "";
  tone: number | null = null;
  private readonly body = byId<HTMLTableSectionElement>("drops-body");
  private readonly note = byId("drops-note");
  private readonly before = byId<HTMLButtonElement>("drops-before");
  private readonly after = byId<HTMLButtonElement>("drops-after");

  constructor(
    private readonly session: string,
    private readonly choose: (oid: string) => void,
  ) {
    arrowKeys(this.body, "button");
    this.before.addEventListener("click", () => void this.turn(-LIMIT));
    this.after.addEventListener("click", () => void this.turn(LIMIT));
  }

  /** Show what is searched for, from the beginning. */
  async search(text: string, tone: number | null): Promise<void> {
    this.text = text;
    this.tone = tone;
    this.offset = 0;
    await this.load();
  }

  /** Ask again for what is shown. */
  async load(): Promise<void> {
    const query = new URLSearchParams({ offset: String(this.offset), limit: String(LIMIT) });
    if (this.text) query.set("text", this.text);
    if (this.tone !== null) query.set("state", FILTERS[this.tone] ?? "");
    this.asked += 1;
    const asked = this.asked;
    try {
      const page = await get<Page>(sessionPath(this.session, `/drops?${query.toString()}`));
      if (asked === this.asked) this.show(page); // else somebody has asked for something else since
    } catch (error) {
      say(this.note, inWords(error));
    }
  }

  private async turn(step: number): Promise<void> {
    this.offset = Math.max(0, this.offset + step);
    await this.load();
    this.body.querySelector("button")?.focus();
  }

  private show(page: Page): void {
    const focused = document.activeElement?.getAttribute("data-oid");
    // An app that runs is INITIALIZED still, but nobody would call it waiting.
    const meant = page.drops.filter((drop) => this.tone === null || shownTone(drop) === this.tone);
    refill(this.body, ...meant.map((drop) => this.row(drop)));
    if (focused) this.body.querySelector<HTMLElement>(`[data-oid="${CSS.escape(focused)}"]`)?.focus();
    const last = this.offset + page.drops.length;
    const which = this.tone === null ? "" : `${TONE_NAMES[this.tone] ?? ""} `;
    const where = page.total > page.drops.length ? `, ${number(this.offset + 1)} to ${number(last)}` : "";
    say(this.note, page.total ? `${count(page.total, `${which}drop`)}${where}` : `There is no such drop.`);
    this.before.disabled = this.offset === 0;
    this.after.disabled = page.next === null;
  }

  private row(drop: ListedDrop): HTMLTableRowElement {
    const tone = shownTone(drop);
    const button = make(
      "button", { type: "button", class: "plain", "data-oid": drop.oid, onclick: () => this.choose(drop.oid) },
      make("span", { class: `shape ${drop.kind === "data" ? "round" : "square"}`, "aria-hidden": "true" }),
      make("span", { class: "name" }, drop.name || drop.oid),
    );
    return make(
      "tr", {},
      make("th", { scope: "row" }, button),
      make("td", {}, make("span", { class: `badge tone-${tone}`, title: exactState(drop) }, stateName(drop))),
      make("td", {}, drop.category),
      make("td", { title: drop.node }, nodeName(drop.node)),
      make("td", { class: "oid" }, drop.oid),
    );
  }
}

type InStates = Pick<ListedDrop, "status" | "execStatus">;

/** Return the tone of a drop. */
export const shownTone = (drop: InStates): Tone => toneOf(drop.status, drop.execStatus ?? NO_EXEC);

/** Return what a page calls the state of a drop. */
export const stateName = (drop: InStates): string => TONE_NAMES[shownTone(drop)];

/** Return the states of a drop as the engine calls them: COMPLETED, FINISHED. */
export function exactState(drop: InStates): string {
  const exec = drop.execStatus === null || drop.execStatus === undefined ? [] : [APP_STATES[drop.execStatus] ?? "?"];
  return [DROP_STATES[drop.status] ?? "?", ...exec].join(", ");
}
