type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Child = Node | string | null;

/** An element with attributes (true: empty, false or undefined: left out) and children. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A button with a name for screen readers and a tooltip, both the same. */
export function button(
  face: string,
  title: string,
  press: () => void,
  attributes: Attributes = {},
): HTMLButtonElement {
  const made = element(
    "button",
    { type: "button", title, "aria-label": title, ...attributes },
    face,
  );
  made.addEventListener("click", press);
  return made;
}

/** Show or hide an element without taking it out of the page. */
export function setShown(shown: Element, visible: boolean): void {
  shown.toggleAttribute("hidden", !visible);
}
