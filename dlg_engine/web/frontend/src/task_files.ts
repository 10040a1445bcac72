// Files of products: their beginning on the page, all of them to be kept.

import { get, getFile, inWords } from "./api";
import { make } from "./dom";
import { bytes } from "./format";
import type { Preview } from "./types";

type Shown = Preview & { readonly packed: boolean };

/** What can be shown of a version as it was asked for; it stays while the panel is drawn anew. */
const shown = new Map<number, HTMLElement>();

/** Return what is shown of a version, if somebody has asked for it. */
export const shownOf = (version: number): HTMLElement | undefined => shown.get(version);

/** Forget what is shown of all versions. */
export function hideAll(): void {
  shown.clear();
}

/** Show the beginning of a version, or hide it again. */
export async function toggle(version: number, filename: string): Promise<void> {
  if (shown.delete(version)) return;
  const box = make("div", { class: "preview" }, make("p", { class: "hint" }, "…"));
  shown.set(version, box);
  try {
    const told = await get<Shown>(`api/v1/versions/${version}/preview`);
    box.replaceChildren(...content(told, filename));
  } catch (error) {
    box.replaceChildren(make("p", { class: "wrong" }, inWords(error)));
  }
}

function content(told: Shown, filename: string): HTMLElement[] {
  if (told.kind === "image") {
    // In a picture nothing runs and nothing is loaded, whatever is in the file.
    return [make("img", { src: `data:${told.type};base64,${told.base64 ?? ""}`, alt: `Content of ${filename}` })];
  }
  if (told.kind === "json" || told.kind === "text") {
    const text = told.kind === "json" ? pretty(told.text ?? "") : told.text ?? "";
    const rest = told.whole ? "" : `The beginning of ${bytes(told.size)}${told.packed ? ", unpacked" : ""}.`;
    return [make("pre", { tabindex: 0 }, text), ...(rest ? [make("p", { class: "hint" }, rest)] : [])];
  }
  return [make("p", { class: "hint" }, `${bytes(told.size)} that are neither text nor a small picture.`)];
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 1);
  } catch {
    return text;
  }
}

/** Let the browser keep a file. */
export async function keep(version: number, filename: string): Promise<void> {
  const address = URL.createObjectURL(await getFile(`api/v1/versions/${version}/file`));
  make("a", { href: address, download: filename }).click();
  window.setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
