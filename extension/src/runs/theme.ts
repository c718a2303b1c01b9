import type { Subscription } from "../protocol/client.js";

export type Theme = "light" | "dark";

/**
 * Keep `data-theme` of a view what the page around it is: JupyterLab says so on its body, VS Code by
 * a class, and elsewhere the browser's preference counts. `changed` is called after a change, when
 * everything that is painted has to be painted again.
 */
export function followTheme(
  view: HTMLElement,
  fixed: Theme | undefined,
  changed: () => void,
): Subscription {
  const preference = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const theme = fixed ?? themeOfPage(preference.matches);
    if (view.dataset["theme"] === theme) return;
    view.dataset["theme"] = theme;
    changed();
  };
  apply();
  if (fixed) return { dispose: () => undefined };
  const observer = new MutationObserver(apply);
  observer.observe(document.body, {
    attributes: true,
    attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "class"],
  });
  preference.addEventListener("change", apply);
  return {
    dispose: () => {
      observer.disconnect();
      preference.removeEventListener("change", apply);
    },
  };
}

function themeOfPage(prefersDark: boolean): Theme {
  const { dataset, classList } = document.body;
  if (dataset["jpThemeLight"]) return dataset["jpThemeLight"] === "false" ? "dark" : "light";
  if (classList.contains("vscode-dark") || classList.contains("vscode-high-contrast"))
    return "dark";
  if (classList.contains("vscode-light")) return "light";
  return prefersDark ? "dark" : "light";
}

/** What canvases are painted with, from the style sheet. */
export interface Palette {
  readonly text: string;
  readonly faint: string;
  readonly grid: string;
  readonly axis: string;
  readonly background: string;
  readonly accent: string;
  readonly font: string;
  /** The colours of runs, in order. */
  readonly series: readonly string[];
}

export function readPalette(view: HTMLElement): Palette {
  const style = getComputedStyle(view);
  const read = (name: string) => style.getPropertyValue(`--run-${name}`).trim();
  return {
    text: read("text"),
    faint: read("text-faint"),
    grid: read("grid"),
    axis: read("axis"),
    background: read("background"),
    accent: read("accent"),
    font: style.fontFamily,
    series: Array.from({ length: 8 }, (_, index) => read(`series-${index}`)),
  };
}
