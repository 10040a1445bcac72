// The panel of one drop: how it stands, what went wrong, what it is linked to and what is in it.

import { get, Refused, sessionPath } from "./api";
import { byId, make, refill, type Child } from "./dom";
import { bytes, clock, count, duration, nodeName, shortPaths } from "./format";
import { exactState, shownTone, stateName } from "./table";
import type { Drop, LogLine, Preview } from "./types";

const LINKS: readonly (readonly [string, string])[] = [
  ["producers", "Made by"], ["inputs", "Reads"], ["streamingInputs", "Reads while it is written"],
  ["outputs", "Writes"], ["consumers", "Read by"], ["streamingConsumers", "Read while it is written, by"],
];
const NOT_PARAMETERS = new Set([
  "oid", "uid", "name", "node", "island", "producers", "inputs", "streamingInputs", "outputs", "consumers",
  "streamingConsumers", "children", "parent", "categoryType", "dropclass", "reprodata", "lg_key",
]);
const MOST_LINKS = 50;
const IMAGE_BYTES = 2_000_000;

/** The panel of the drop that is chosen. */
export class Panel {
  private readonly box = byId("panel");
  private readonly body = byId("panel-body");
  private oid = "";
  private asked = 0;
  private returnTo: Element | null = null;

  constructor(
    private readonly session: string,
    private readonly choices: { readonly drop: (oid: string) => void; readonly closed: () => void },
  ) {
    byId("panel-close").addEventListener("click", () => this.close());
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
  }

  /** Return the oid of the drop that is shown, "" for none. */
  get shown(): string {
    return this.box.hidden ? "" : this.oid;
  }

  /** Show a drop; the focus goes to the panel, and back when it is closed. */
  async open(oid: string): Promise<Drop | null> {
    if (this.box.hidden) this.returnTo = document.activeElement;
    this.oid = oid;
    this.box.hidden = false;
    const drop = await this.load();
    this.box.scrollTop = 0;
    byId("panel-title").focus({ preventScroll: true });
    return drop;
  }

  /** Ask again for what is shown. */
  async load(): Promise<Drop | null> {
    this.asked += 1;
    const asked = this.asked;
    const path = sessionPath(this.session, `/drops/${encodeURIComponent(this.oid)}`);
    try {
      const [drop, logs, preview] = await Promise.all([
        get<Drop>(path),
        get<{ logs: readonly LogLine[] }>(`${path}/logs?most=200`).catch(() => ({ logs: [] })),
        this.preview(path),
      ]);
      if (asked === this.asked) this.show(drop, logs.logs, preview);
      return drop;
    } catch (error) {
      const said = error instanceof Refused ? error.message : "The connection is lost.";
      if (asked === this.asked) this.body.replaceChildren(make("p", { class: "wrong" }, said));
      return null;
    }
  }

  /** Close the panel. */
  close(): void {
    if (this.box.hidden) return;
    this.box.hidden = true;
    this.choices.closed();
    if (this.returnTo instanceof HTMLElement && this.returnTo.isConnected) this.returnTo.focus();
  }

  /** Return the beginning of what is in a drop; all of an image that is not too big. */
  private async preview(path: string): Promise<Preview | null> {
    try {
      const found = await get<Preview>(`${path}/preview?most=4096`);
      const again = found.kind === "image" && found.whole === false && (found.size ?? 0) <= IMAGE_BYTES;
      return again ? await get<Preview>(`${path}/preview?most=${found.size ?? 0}`) : found;
    } catch {
      return null;
    }
  }

  private show(drop: Drop, logs: readonly LogLine[], preview: Preview | null): void {
    const tone = shownTone(drop);
    byId("panel-title").textContent = drop.name || drop.oid;
    const scrolled = this.box.scrollTop;
    const parts: Child[] = [
      make("p", { class: "state" },
        make("span", { class: `badge tone-${tone}` }, stateName(drop)), " ",
        drop.category, drop.node ? ` on ${nodeName(drop.node)}` : ""),
      ...this.error(drop),
      ...this.facts(drop),
      ...this.links(drop),
      ...shownPreview(preview),
      ...shownLogs(logs),
      ...parameters(drop),
    ];
    refill(this.body, ...parts.filter((part): part is Node => part instanceof Node));
    this.box.scrollTop = scrolled;
  }

  private error(drop: Drop): Child[] {
    const found: Child[] = [];
    if (drop.error) {
      found.push(make("section", { class: "failure" },
        make("h3", {}, drop.error.class),
        make("p", {}, drop.error.message),
        drop.error.traceback
          ? make("details", { open: true }, make("summary", {}, "Traceback"),
            make("pre", { tabindex: 0 }, shortPaths(drop.error.traceback)))
          : null));
    }
    const by = drop.stopped_by;
    if (by && by !== drop.oid) {
      found.push(make("p", {}, "Given up because of ", this.link(by), "."));
    }
    return found;
  }

  private facts(drop: Drop): Child[] {
    const began = drop.began ?? null;
    const ended = drop.ended ?? null;
    const pairs: [string, string][] = [];
    if (drop.reused) pairs.push(["Not run", "reused"]);
    if (began !== null) pairs.push(["Began", clock(began)]);
    if (ended !== null) pairs.push(["Ended", clock(ended)]);
    if (began !== null && ended !== null) pairs.push(["Took", duration(ended - began)]);
    if (drop.size !== null && drop.size !== undefined) pairs.push(["Size", bytes(drop.size)]);
    const list = make("dl", { class: "facts" }, ...pairs.map(([name, value]) =>
      make("div", {}, make("dt", {}, name), make("dd", {}, value))));
    return [pairs.length ? list : null];
  }

  private links(drop: Drop): Child[] {
    return LINKS.flatMap(([key, title]) => {
      const oids = drop.links[key] ?? [];
      if (!oids.length) return [];
      const more = oids.length - MOST_LINKS;
      return [make("section", { class: "links" },
        make("h3", {}, title, " ", make("small", {}, count(oids.length, "drop"))),
        make("ul", {}, ...oids.slice(0, MOST_LINKS).map((oid) => make("li", {}, this.link(oid)))),
        more > 0 && make("p", { class: "hint" }, `and ${more.toLocaleString("en")} more`))];
    });
  }

  private link(oid: string): HTMLElement {
    return make("button", { type: "button", class: "link", onclick: () => this.choices.drop(oid) }, oid);
  }
}

function shownPreview(preview: Preview | null): Child[] {
  if (!preview || preview.kind === "none") return [];
  const part = preview.whole === false ? ", the beginning of it" : "";
  const title = make("h3", {}, "Content ", make("small", {}, `${preview.type}, ${bytes(preview.size)}${part}`));
  return [make("section", { class: "preview" }, title, content(preview))];
}

function content(preview: Preview): HTMLElement {
  if (preview.kind === "image" && preview.base64 && preview.whole !== false) {
    return make("img", { src: `data:${preview.type};base64,${preview.base64}`, alt: "What is in the drop" });
  }
  if (preview.kind === "binary" || preview.kind === "image") {
    return make("pre", { tabindex: 0 }, hexDump(preview.base64 ?? ""));
  }
  return make("pre", { tabindex: 0 }, preview.kind === "json" ? indented(preview.text ?? "") : preview.text ?? "");
}

/** Return JSON with its parts on lines of their own; as it is where it is cut off. */
function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Return the first bytes as numbers and letters. */
export function hexDump(base64: string): string {
  const found = atob(base64.slice(0, 684));
  const lines: string[] = [];
  for (let at = 0; at < found.length; at += 8) {
    const piece = found.slice(at, at + 8);
    const codes = [...piece].map((c) => c.charCodeAt(0).toString(16).padStart(2, "0")).join(" ");
    lines.push(`${at.toString(16).padStart(4, "0")}  ${codes.padEnd(23)}  ${piece.replace(/[^ -~]/g, ".")}`);
  }
  return lines.join("\n");
}

function shownLogs(logs: readonly LogLine[]): Child[] {
  if (!logs.length) return [];
  const lines = logs.map((line) =>
    make("div", { class: /^(ERROR|CRITICAL|WARNING)$/.test(line.level) ? "loud" : null },
      make("time", {}, clock(line.time)), ` ${line.level.toLowerCase()} `, shortPaths(line.message)));
  return [make("section", { class: "logs" }, make("h3", {}, "Log"), make("pre", { tabindex: 0 }, ...lines))];
}

function parameters(drop: Drop): Child[] {
  const shown = Object.entries(drop.spec).filter(([key]) => !NOT_PARAMETERS.has(key));
  const pairs: [string, unknown][] = [["oid", drop.oid], ["state", exactState(drop)],
    ["class", drop.spec["dropclass"] ?? drop.category], ...shown];
  if (drop.dataURL) pairs.push(["data", drop.dataURL]);
  return [make("section", { class: "parameters" }, make("h3", {}, "Parameters"),
    make("dl", {}, ...pairs.map(([name, value]) =>
      make("div", {}, make("dt", {}, name), make("dd", {}, text(value))))))];
}

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value, null, 1) ?? "");
