import { icon, type IconName } from "./icons.js";

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Child = Node | string | null;

/** What all classes of the view begin with. */
const PREFIX = "workbench-graph-";

/** An element of the view's class `kind`, with attributes (true: empty, false or undefined: none). */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  kind: string | null,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (kind !== null) made.className = PREFIX + kind;
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A button with an icon; its title is its name for screen readers too. */
export function iconButton(name: IconName, title: string, press: () => void): HTMLButtonElement {
  const made = element("button", "button", { type: "button", title, "aria-label": title });
  made.append(icon(name));
  made.addEventListener("click", press);
  return made;
}

/** A button with words on it. */
export function textButton(
  text: string,
  press: () => void,
  attributes: Attributes = {},
): HTMLButtonElement {
  const made = element("button", "text-button", { type: "button", ...attributes }, text);
  made.addEventListener("click", press);
  return made;
}

/** A link within the view: looks like one, is a button to the keyboard and to screen readers. */
export function link(text: string, follow: () => void, title = ""): HTMLButtonElement {
  const made = element("button", "link", { type: "button", title: title || undefined }, text);
  made.addEventListener("click", follow);
  return made;
}

/** Show or hide an element without taking it out of the page. */
export function setShown(shown: HTMLElement, visible: boolean): void {
  shown.hidden = !visible;
}

/** Set a text only when it is another one, so that nothing is laid out again for nothing. */
export function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** Turn a class of the view on or off. */
export function mark(target: HTMLElement, kind: string, on: boolean): void {
  target.classList.toggle(PREFIX + kind, on);
}
