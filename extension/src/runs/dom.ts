/** What an element is made with. */
interface Parts {
  readonly class?: string;
  readonly text?: string;
  readonly title?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly on?: {
    readonly [Name in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Name]) => void;
  };
}

/** `element("p", { class: "hint", text: "No runs yet." })` */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  parts: Parts = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (parts.class) made.className = parts.class;
  if (parts.text !== undefined) made.textContent = parts.text;
  if (parts.title) made.title = parts.title;
  for (const [name, value] of Object.entries(parts.attributes ?? {})) {
    made.setAttribute(name, value);
  }
  for (const [name, listener] of Object.entries(parts.on ?? {})) {
    made.addEventListener(name, listener as EventListener);
  }
  made.append(...children);
  return made;
}

/** Set a text, and touch the page only where it is another one. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

export function setHidden(target: HTMLElement, hidden: boolean): void {
  if (target.hidden !== hidden) target.hidden = hidden;
}

let ids = 0;

/** An id that no other element of the page has, for labels. */
export function uniqueId(prefix: string): string {
  return `workbench-${prefix}-${++ids}`;
}
