import type { Hit } from "../scene/types.js";
import { element, mark, setShown } from "./dom.js";
import { icon } from "./icons.js";
import type { Navigator } from "./navigator.js";
import type { Status } from "./status.js";

const MOST_HITS = 50;
const PAUSE_MILLISECONDS = 60;
let lists = 0;

/** The search field and the list of what it has found. */
export class Search {
  readonly element = element("div", "search");
  hits: readonly Hit[] = [];
  #active = -1;
  #request = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #input: HTMLInputElement;
  readonly #list: HTMLUListElement;

  constructor(
    private readonly navigator: Navigator,
    private readonly status: Status,
  ) {
    const id = `workbench-graph-hits-${++lists}`;
    this.#list = element("ul", "hits", {
      id,
      role: "listbox",
      "aria-label": "Found",
      hidden: true,
    });
    this.#input = element("input", "search-field", {
      type: "search",
      role: "combobox",
      placeholder: "Search  /",
      title: "A part of a name or type, /a regular expression/, type:MatMul or shape:128",
      "aria-label": "Search operations",
      "aria-expanded": "false",
      "aria-controls": id,
      "aria-autocomplete": "list",
      autocomplete: "off",
      spellcheck: "false",
    });
    this.element.append(icon("search"), this.#input, this.#list);
    this.#input.addEventListener("input", () => this.#later());
    this.#input.addEventListener("keydown", (event) => this.#press(event));
    this.#input.addEventListener("focus", () => this.#showList(this.hits.length > 0));
    this.#input.addEventListener("blur", () => this.#showList(false));
    // Before the field loses the focus, and with it the list.
    this.#list.addEventListener("pointerdown", (event) => {
      const index = [...this.#list.children].indexOf(
        (event.target as Element).closest("li") as Element,
      );
      event.preventDefault();
      if (index >= 0) void this.#choose(index);
    });
  }

  get query(): string {
    return this.#input.value;
  }

  get isOpen(): boolean {
    return !this.#list.hidden;
  }

  focus(): void {
    this.#input.focus();
    this.#input.select();
  }

  dispose(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#request++;
  }

  /** Look for something, and show the list. */
  async find(query: string): Promise<void> {
    const request = ++this.#request;
    try {
      const hits = query.trim() === "" ? [] : await this.navigator.engine.search(query, MOST_HITS);
      if (request !== this.#request) return;
      this.hits = hits;
      this.#fill(query);
    } catch (error) {
      if (request === this.#request) this.status.fail(error);
    }
  }

  #later(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.find(this.query), PAUSE_MILLISECONDS);
  }

  #press(event: KeyboardEvent): void {
    if (event.key === "ArrowDown") this.#activate(this.#active + 1);
    else if (event.key === "ArrowUp") this.#activate(this.#active - 1);
    else if (event.key === "Enter") void this.#enter();
    else if (event.key === "Escape") this.#leave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  async #enter(): Promise<void> {
    // Typed and entered at once: the list may still be that of the beginning of the word.
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
      await this.find(this.query);
    }
    if (this.hits.length > 0) await this.#choose(Math.max(0, this.#active));
  }

  async #choose(index: number): Promise<void> {
    const hit = this.hits[index];
    if (!hit) return;
    this.#activate(index);
    this.#showList(false);
    this.navigator.stage.canvas.focus();
    await this.navigator.reveal(hit.item);
  }

  #leave(): void {
    if (this.isOpen) this.#showList(false);
    else this.navigator.stage.canvas.focus();
  }

  #fill(query: string): void {
    this.#active = -1;
    const entries = this.hits.map((hit, index) =>
      element(
        "li",
        "hit",
        { role: "option", id: `${this.#list.id}-${index}`, "aria-selected": "false" },
        element("span", "hit-name", {}, ...emphasised(hit.name, query)),
        element("span", "hit-type", {}, hit.type || "scope"),
      ),
    );
    this.#list.replaceChildren(...entries);
    if (query.trim() !== "" && entries.length === 0) {
      this.#list.append(element("li", "hit-none", { role: "option" }, "Nothing found"));
    }
    this.#showList(this.#list.children.length > 0 && document.activeElement === this.#input);
    if (entries.length > 0) this.#activate(0);
  }

  #activate(index: number): void {
    if (this.hits.length === 0) return;
    this.#active = (index + this.hits.length) % this.hits.length;
    [...this.#list.children].forEach((entry, place) => {
      const active = place === this.#active;
      entry.setAttribute("aria-selected", String(active));
      mark(entry as HTMLElement, "active", active);
      if (active && this.isOpen) entry.scrollIntoView({ block: "nearest" });
    });
    this.#input.setAttribute("aria-activedescendant", `${this.#list.id}-${this.#active}`);
  }

  #showList(shown: boolean): void {
    setShown(this.#list, shown);
    this.#input.setAttribute("aria-expanded", String(shown));
  }
}

/** The name with the found part set off. */
function emphasised(name: string, query: string): (Node | string)[] {
  const place = name.toLowerCase().indexOf(query.trim().toLowerCase());
  if (place < 0) return [name];
  const end = place + query.trim().length;
  const found = element("mark", null, {}, name.slice(place, end));
  return [name.slice(0, place), found, name.slice(end)].filter((part) => part !== "");
}
