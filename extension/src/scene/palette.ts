import { Role, Status } from "./types.js";

/** The colours of a picture, all in forms that a canvas takes. */
export interface Theme {
  readonly dark: boolean;
  readonly font: string;
  readonly background: string;
  readonly text: string;
  readonly faintText: string;
  readonly edge: string;
  readonly faintEdge: string;
  readonly backEdge: string;
  readonly accent: string;
  readonly warning: string;
  readonly error: string;
  /** By Role. */
  readonly roles: readonly RoleColours[];
  /** By Status in a diff; the first is not used. */
  readonly statuses: readonly string[];
}

export interface RoleColours {
  readonly line: string;
  /** What is too small for an outline. */
  readonly solid: string;
  /** A closed scope, an operation, and the inside of an open scope at even and odd depths. */
  readonly fill: string;
  readonly paper: string;
  readonly inside: readonly [string, string];
}

/** By Status: marks that need no colour. */
export const STATUS_GLYPHS: readonly string[] = ["", "+", "\u2212", "~"];

type Rgb = readonly [number, number, number];

/** What is asked of the page: a CSS variable's colour, and what to take where there is none. */
export type ReadColour = (variable: string) => string | null;

/** Light, dark. */
const DEFAULTS: Readonly<Record<string, readonly [string, string]>> = {
  "--jp-layout-color1": ["#ffffff", "#212121"],
  "--jp-ui-font-color1": ["#212121", "#e0e0e0"],
  "--jp-ui-font-color2": ["#757575", "#9e9e9e"],
  "--jp-brand-color1": ["#1976d2", "#2196f3"],
  "--jp-warn-color1": ["#f57c00", "#ff9800"],
  "--jp-error-color1": ["#d32f2f", "#f44336"],
  "--jp-success-color1": ["#388e3c", "#4caf50"],
  "--workbench-backward-color": ["#8e3bb8", "#ba78e0"],
  "--workbench-update-color": ["#b26a00", "#e0a030"],
  "--workbench-auxiliary-color": ["#6b7780", "#8a979f"],
};

const ROLE_VARIABLES: readonly (readonly [number, string])[] = [
  [Role.forward, "--jp-brand-color1"],
  [Role.backward, "--workbench-backward-color"],
  [Role.update, "--workbench-update-color"],
  [Role.auxiliary, "--workbench-auxiliary-color"],
];

/**
 * The colours of a picture from a page's: JupyterLab's where it has them, else our own. Fills are
 * mixed from the background and the role's hue, so that any theme's text stays readable on them.
 */
export function makeTheme(read: ReadColour, font: string, prefersDark = false): Theme {
  const page = read("--jp-layout-color1");
  const dark = page === null ? prefersDark : lightness(parse(page)) < 0.5;
  const colour = (variable: string): Rgb =>
    parse(read(variable) ?? DEFAULTS[variable][dark ? 1 : 0]);
  const background = colour("--jp-layout-color1");
  const text = over(colour("--jp-ui-font-color1"), background);
  const mixed = (hue: Rgb, share: number): string => css(mix(background, hue, share));
  const roles: RoleColours[] = [];
  for (const [role, variable] of ROLE_VARIABLES) {
    const hue = colour(variable);
    roles[role] = {
      line: css(mix(background, hue, 0.8)),
      solid: mixed(hue, dark ? 0.6 : 0.5),
      fill: mixed(hue, dark ? 0.26 : 0.16),
      paper: css(mix(mix(background, [255, 255, 255], dark ? 0.07 : 0.8), hue, dark ? 0.08 : 0.03)),
      inside: [mixed(hue, dark ? 0.07 : 0.045), mixed(hue, dark ? 0.13 : 0.085)],
    };
  }
  const statuses: string[] = [];
  statuses[Status.same] = css(text);
  statuses[Status.added] = css(colour("--jp-success-color1"));
  statuses[Status.removed] = css(colour("--jp-error-color1"));
  statuses[Status.changed] = css(colour("--jp-warn-color1"));
  return {
    dark,
    font,
    background: css(background),
    text: css(text),
    faintText: css(mix(background, text, dark ? 0.62 : 0.6)),
    edge: css(mix(background, text, dark ? 0.5 : 0.46)),
    faintEdge: css(mix(background, text, dark ? 0.3 : 0.26)),
    backEdge: css(mix(background, colour("--jp-error-color1"), 0.75)),
    accent: css(colour("--jp-brand-color1")),
    warning: css(colour("--jp-warn-color1")),
    error: css(colour("--jp-error-color1")),
    roles,
    statuses,
  };

  function over(front: Rgb, behind: Rgb): Rgb {
    const alpha = parseAlpha(read("--jp-ui-font-color1") ?? "");
    return mix(behind, front, alpha);
  }
}

/** `#rgb`, `#rrggbb` or `rgb(...)`, which is how browsers write any colour. */
export function parse(colour: string): Rgb {
  const hexadecimal = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(colour.trim())?.[1];
  if (hexadecimal !== undefined) {
    const step = hexadecimal.length / 3;
    const part = (index: number): number => {
      const digits = hexadecimal.slice(index * step, (index + 1) * step);
      return parseInt(step === 1 ? digits + digits : digits, 16);
    };
    return [part(0), part(1), part(2)];
  }
  const numbers = colour.match(/[\d.]+/g)?.map(Number) ?? [];
  return [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0];
}

function parseAlpha(colour: string): number {
  const numbers = colour.startsWith("rgb") ? (colour.match(/[\d.]+/g)?.map(Number) ?? []) : [];
  return numbers[3] ?? 1;
}

export function mix(from: Rgb, to: Rgb, share: number): Rgb {
  const part = (index: 0 | 1 | 2): number => from[index] + (to[index] - from[index]) * share;
  return [part(0), part(1), part(2)];
}

export function css([red, green, blue]: Rgb): string {
  return `rgb(${Math.round(red)}, ${Math.round(green)}, ${Math.round(blue)})`;
}

/** 0 black to 1 white, as the eye weighs the parts. */
export function lightness([red, green, blue]: Rgb): number {
  return (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
}
