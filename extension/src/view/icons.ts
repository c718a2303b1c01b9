/** Paths of icons in a square of 16, drawn with lines of 1.5. */
const PATHS = {
  back: "M10 3 5 8l5 5",
  forward: "M6 3l5 5-5 5",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9M10.5 10.5l3.5 3.5",
  upstream: "M8 13V4M4.5 7 8 3.5 11.5 7M4 13h8",
  downstream: "M8 3v9M4.5 9 8 12.5 11.5 9M4 3h8",
  path: "M3.5 2.5a1.5 1.5 0 1 1 0 3a1.5 1.5 0 1 1 0-3M12.5 10.5a1.5 1.5 0 1 1 0 3a1.5 1.5 0 1 1 0-3M5 4h4.5a2 2 0 0 1 0 4h-3a2 2 0 0 0 0 4H11",
  help: "M6 6a2 2 0 1 1 2.8 1.8c-.6.3-.8.7-.8 1.4M8 11.6v.4",
  close: "M4 4l8 8M12 4l-8 8",
  legend: "M3 4h2M7.5 4H13M3 8h2M7.5 8H13M3 12h2M7.5 12H13",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8M8 6a2 2 0 1 1 0 4a2 2 0 1 1 0-4",
} as const;

export type IconName = keyof typeof PATHS;

const SVG = "http://www.w3.org/2000/svg";

/** An icon in the colour of the text around it; its button has the name for screen readers. */
export function icon(name: IconName): SVGSVGElement {
  const drawn = document.createElementNS(SVG, "svg");
  for (const [key, value] of [
    ["viewBox", "0 0 16 16"],
    ["width", "16"],
    ["height", "16"],
    ["aria-hidden", "true"],
    ["fill", "none"],
    ["stroke", "currentColor"],
    ["stroke-width", "1.5"],
    ["stroke-linecap", "round"],
    ["stroke-linejoin", "round"],
  ] as const) {
    drawn.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  drawn.append(path);
  return drawn;
}
