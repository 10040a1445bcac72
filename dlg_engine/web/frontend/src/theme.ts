// Colours of what is drawn by script, in the scheme that the reader prefers.

import { COLOURS } from "./states";

export interface Palette {
  readonly tones: readonly string[];
  readonly ink: string;
  readonly soft: string;
  readonly paper: string;
  readonly ground: string;
  readonly edge: string;
  readonly faintEdge: string;
  readonly faded: string;
  readonly accent: string;
  readonly line: string;
}

const LIGHT: Palette = {
  tones: COLOURS.light, ink: "#1f2933", soft: "#55626f", paper: "#ffffff", ground: "#fbfcfd",
  edge: "#aab5c0", faintEdge: "#d5dde5", faded: "#e6ebf0", accent: "#175b96", line: "#d5dce3",
};
const DARK: Palette = {
  tones: COLOURS.dark, ink: "#e6ebf0", soft: "#9aa7b4", paper: "#1b2530", ground: "#141c24",
  edge: "#4a5a69", faintEdge: "#2b3946", faded: "#26323d", accent: "#6db3f2", line: "#324150",
};

const dark = window.matchMedia("(prefers-color-scheme: dark)");

/** Return the colours of the present scheme. */
export const palette = (): Palette => (dark.matches ? DARK : LIGHT);

/** Call `work` whenever the scheme changes. */
export function onScheme(work: () => void): void {
  dark.addEventListener("change", work);
}

export const FONT = 'Inter, "Helvetica Neue", Helvetica, Arial, "DejaVu Sans", sans-serif';
