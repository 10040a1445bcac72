// Messages of attempts: filtered by the server, the newest first, page by page.

import { get } from "./api";
import { byId, make, refill, say, throttled } from "./dom";
import { clock, count } from "./format";
import { levelName } from "./task_states";
import type { LogPage, Message } from "./task_types";

const LIMIT = 100;
/** So many are shown at most; whoever wants more says better what. */
const MOST = 2000;
const TONES: Readonly<Record<string, number>> = { critical: 3, error: 3, warning: 5, info: 1, debug: 0 };

/** The messages. */
export class TaskLogs {
  private shown: Message[] = [];
  private next: number | null = null;
  private older = false;
  private asked = 0;

  constructor(private readonly choose: (task: number) => void, private readonly tell: (error: unknown) => void) {
    const form = byId("log-form");
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", throttled(() => {
      this.older = false;
      void this.load().catch(this.tell);
    }, 200));
    byId("log-older").addEventListener("click", () => void this.more().catch(this.tell));
  }

  /** Look for the messages of one task. */
  of(task: number): void {
    byId<HTMLInputElement>("log-task").value = String(task);
    this.older = false;
  }

  /** Ask again for the newest, unless somebody reads what is older. */
  async load(): Promise<void> {
    if (this.older) return;
    const page = await this.ask(null);
    if (page) this.show([...page.messages], page.next);
  }

  private async more(): Promise<void> {
    this.older = true;
    const page = await this.ask(this.next);
    if (page) this.show([...this.shown, ...page.messages], page.next);
  }

  private async ask(before: number | null): Promise<LogPage | null> {
    const said = new URLSearchParams({ limit: String(LIMIT) });
    for (const name of ["level", "task", "text"]) {
      const value = byId<HTMLInputElement>(`log-${name}`).value.trim();
      if (value && (name !== "task" || /^[0-9]{1,9}$/.test(value))) said.set(name, value);
    }
    if (before !== null) said.set("before", String(before));
    this.asked += 1;
    const asked = this.asked;
    const page = await get<LogPage>(`api/v1/logs?${said.toString()}`);
    return asked === this.asked ? page : null;
  }

  private show(messages: Message[], next: number | null): void {
    this.shown = messages;
    this.next = next;
    refill(byId("log-body"), ...messages.map((one) => this.row(one)));
    byId("log-older").hidden = next === null || messages.length >= MOST;
    const more = next === null ? "" : ", there may be older ones";
    say(byId("log-note"), messages.length ? count(messages.length, "message") + more : `No such message${more}.`);
  }

  private row(one: Message): HTMLElement {
    const { task } = one;
    const link = task !== null && make("button", {
      type: "button", class: "link", onclick: () => this.choose(task),
    }, one.name || String(task));
    const level = levelName(one.level);
    return make("tr", {},
      make("td", {}, make("time", { datetime: new Date(one.time * 1000).toISOString() }, clock(one.time))),
      make("td", {}, make("span", { class: `badge tone-${TONES[level] ?? 0}` }, level)),
      make("td", {}, link || "–"),
      make("td", {}, make("pre", {}, one.text)));
  }
}
