// What runs now and what ended just before; and how far the tasks of each type are.

import { get } from "./api";
import { byId, make, refill, say } from "./dom";
import { age, clock, count, duration, number } from "./format";
import { badge, share, titleOf } from "./task_tree";
import type { Now, TypeProgress, Underway } from "./task_types";
import { scopeOf, type Where } from "./where";

const LIMIT = 200;

/** Show what runs. */
export async function showNow(where: Where, choose: (task: number) => void): Promise<void> {
  const told = await get<Now>(`api/v1/now?${scopeOf(where, { limit: LIMIT }).toString()}`);
  const running = `${number(told.running.length)}${told.cut ? " or more" : ""}`;
  say(byId("running-note"), `${running} running, ${number(told.queued)} queued`);
  const now = Date.now() / 1000;
  fill("running-body", told.running.map((one) => row(one, one.started, now, choose)));
  fill("recent-body", told.recent.map((one) => row(one, one.ended, now, choose)));
}

function fill(id: string, rows: readonly HTMLElement[]): void {
  const body = byId(id);
  const focused = document.activeElement?.closest(`#${id}`) ? document.activeElement.getAttribute("data-key") : null;
  const none = make("tr", {}, make("td", { colspan: 6, class: "hint" }, "none"));
  refill(body, ...(rows.length ? rows : [none]));
  if (focused) body.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function row(one: Underway, when: number | null, now: number, choose: (task: number) => void): HTMLElement {
  const link = make("button", {
    type: "button", class: "link", "data-key": one.id, onclick: () => choose(one.task),
  }, titleOf(one));
  return make("tr", {},
    make("th", { scope: "row" }, make("span", { class: "branch" }, link,
      make("span", { class: "number" }, `${one.task}${one.job ? `, ${one.job}` : ""}`))),
    make("td", {}, badge(one.state), one.stalled && " ", one.stalled && make("span", { class: "badge tone-3",
      title: "Its worker was not heard of in time: another one will get it." }, "stalled")),
    make("td", {}, one.type),
    make("td", {}, one.worker || "–"),
    make("td", { title: `at ${clock(when)}` }, when === null ? "–" : age(now - when)),
    make("td", {}, one.started === null ? "–" : duration((one.ended ?? now) - one.started)),
  );
}

/** Show the types of tasks; return their names. */
export async function showTypes(where: Where): Promise<readonly string[]> {
  const told = await get<{ types: TypeProgress[] }>(`api/v1/progress?${scopeOf(where).toString()}`);
  refill(byId("types-body"), ...told.types.map(typeRow));
  byId("types-empty").hidden = told.types.length > 0;
  return told.types.map((one) => one.type);
}

function typeRow(one: TypeProgress): HTMLElement {
  const figure = (value: number | undefined): HTMLElement =>
    make("td", { class: "figure" }, value ? number(value) : "–");
  return make("tr", {},
    make("th", { scope: "row", title: count(one.tasks, "task") }, one.type),
    make("td", { class: "below" }, ...share(one.states, "task")),
    figure(one.states["waiting"]), figure(one.attempts["queued"]), figure(one.attempts["running"]),
    figure(one.attempts["judging"]), figure(one.stalled), figure(one.states["failed"]), figure(one.states["blocked"]),
  );
}
