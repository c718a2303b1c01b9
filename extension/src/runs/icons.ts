/** Small pictures for buttons, drawn in a square of 16 with lines of the text's colour. */
const PATHS = {
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.2v9.6l7.6-4.8z",
  step: "M3.5 3.2v9.6l6.6-4.8zM12.5 3.2v9.6",
  stop: "M4 4h8v8H4z",
  rewind: "M3 3v3.6h3.6M3.3 6.4A5.2 5.2 0 1 1 2.9 9",
  fork: "M4.5 5.7v4.6M4.5 8.6c4 0 7-.4 7-2.9M4.5 5.7a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2zM11.5 5.7a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2zM4.5 13.5a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2z",
  snapshot: "M2.5 5h2.7l1-1.7h3.6l1 1.7h2.7v7.7h-11zM8 11a2.2 2.2 0 1 0 0-4.4A2.2 2.2 0 0 0 8 11z",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  check: "M3 8.5l3.2 3.2L13 4.8",
  close: "M4 4l8 8M12 4l-8 8",
  graph: "M3 2.5h4v3H3zM9 10.5h4v3H9zM5 5.5v3.2h6v1.8M1.5 10.5h4v3h-4zM5 8.7H3.5v1.8",
  trash: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9",
  back: "M9.5 3.5L5 8l4.5 4.5",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3l3.2 3.2",
  open: "M6.5 3.5L11 8l-4.5 4.5",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  lines: "M3 4h10M3 7h7M3 10h9M3 13h5",
  notebook: "M4 2.5h9v11H4zM2.5 5H5M2.5 8H5M2.5 11H5M7 8h3.5M8.75 6.25v3.5",
  warning: "M8 2.2L14.3 13H1.7zM8 6.4v3.2M8 11.3v.2",
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName): SVGSVGElement {
  const namespace = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(namespace, "svg");
  picture.setAttribute("viewBox", "0 0 16 16");
  picture.setAttribute("class", `run-icon run-icon-${name}`);
  picture.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(namespace, "path");
  path.setAttribute("d", PATHS[name]);
  picture.append(path);
  return picture;
}
