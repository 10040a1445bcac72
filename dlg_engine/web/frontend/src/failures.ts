// What failed, at the top of the page: each reason once, with the drops it stopped.

import { byId, make, refill, say } from "./dom";
import { count } from "./format";
import { headline, reasons, type Reason } from "./errors";
import type { Summary } from "./types";

const NAMED = 5;

/** Show why a session fails or has failed; nothing where nothing did. */
export function showFailures(summary: Summary, failed: number, choose: (oid: string) => void): void {
  const box = byId("failures");
  const told = JSON.stringify([summary.errors, summary.reason, summary.status, failed]);
  if (box.dataset["told"] === told) return;
  box.dataset["told"] = told;
  const found = reasons(summary.errors ?? []);
  const why = summary.status === 6 ? summary.reason ?? "" : "";
  box.hidden = !found.length && !why && !failed;
  if (box.hidden) return;
  say(byId("failures-title"), found.length || failed ? headline(found, failed) : "The session failed");
  const items = found.slice(0, 20).map((reason) => entry(reason, choose, found.length > 1));
  // The reason of a whole session says nothing new where it is that of its drops.
  const own = why && !found.some((reason) => why.includes(reason.text)) ? [make("li", {}, why)] : [];
  refill(byId("failures-list"), ...own, ...items);
}

function entry(reason: Reason, choose: (oid: string) => void, several: boolean): HTMLLIElement {
  const drops = reason.failures.slice(0, NAMED).map((failure) =>
    make("button", { type: "button", class: "link", title: failure.node ? `on ${failure.node}` : "",
      onclick: () => choose(failure.uid) }, failure.name ? `${failure.name} (${failure.uid})` : failure.uid));
  const more = reason.failures.length - drops.length;
  // Where there is one reason the headline has said it.
  const stopped = several && reason.stopped ? `; ${count(reason.stopped, "drop")} given up after it` : "";
  return make("li", {},
    make("strong", {}, reason.text),
    make("span", {}, "in ", ...drops.flatMap((drop, k) => (k ? [", ", drop] : [drop])),
      more > 0 ? ` and ${more.toLocaleString("en")} more` : "", stopped));
}
