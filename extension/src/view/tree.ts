import { Kind, type TreeEntry } from "../scene/types.js";
import { MARKS } from "../scene/mark.js";
import { element } from "./dom.js";
import type { Navigator } from "./navigator.js";

/** Children that are put into the page at once; a graph may have thousands at its top. */
const PAGE = 100;
/** Scopes that are filled at once when the picture opens many: the others when they are reached. */
const MOST_FILLED = 40;
const ROLE_WORDS = ["", ", backward", ", update", ", auxiliary"];

interface Branch {
  readonly entry: TreeEntry;
  readonly node: HTMLLIElement;
  readonly level: number;
  group: HTMLUListElement | null;
}

/**
 * The picture for those who do not see it: a tree of scopes and operations. It is not visible but
 * takes the focus, opens and closes what the picture opens and closes, and selects what it selects.
 */
export class Tree {
  readonly element = element("ul", "tree", {
    role: "tree",
    "aria-label": "Operations of the graph",
  });
  readonly #branches = new Map<number, Branch>();
  #request = 0;
  #current: HTMLLIElement | null = null;
  #selected: HTMLLIElement | null = null;
  /** Scopes whose children are in the page, or on their way there. */
  #filled = 0;

  constructor(private readonly navigator: Navigator) {
    navigator.sceneChanged.connect(() => this.#follow());
    navigator.selectionChanged.connect(() => this.#followSelection());
    this.element.addEventListener("keydown", (event) => this.#press(event));
    this.element.addEventListener("focusin", (event) =>
      this.#focused(event.target as HTMLLIElement),
    );
  }

  /** Begin with another graph. */
  async restart(): Promise<void> {
    const request = ++this.#request;
    this.#branches.clear();
    this.#current = this.#selected = null;
    this.#filled = 0;
    try {
      const entries = await this.navigator.engine.children(-1);
      if (request !== this.#request) return;
      this.element.replaceChildren();
      this.#append(this.element, entries, 0, 1);
      const first = this.element.querySelector<HTMLLIElement>('[role="treeitem"]');
      if (first) this.#makeCurrent(first);
      this.#follow();
      this.#followSelection();
    } catch (error) {
      if (request === this.#request) this.navigator.trouble.emit(error);
    }
  }

  #append(
    into: HTMLUListElement,
    entries: readonly TreeEntry[],
    from: number,
    level: number,
  ): void {
    const end = Math.min(entries.length, from + PAGE);
    for (let index = from; index < end; index++) {
      const entry = entries[index];
      const node = element("li", null, {
        role: "treeitem",
        tabindex: -1,
        "aria-level": level,
        "aria-setsize": entries.length,
        "aria-posinset": index + 1,
        "aria-expanded": entry.kind === Kind.operation ? undefined : "false",
        "aria-selected": "false",
        "data-item": entry.item,
      });
      const mark = MARKS[entry.mark];
      const around = mark === undefined ? "" : `${mark}, `;
      const size =
        entry.kind === Kind.operation ? entry.type : `${around}${entry.operations} operations`;
      node.append(
        element("span", null, {}, `${entry.label}, ${size}${ROLE_WORDS[entry.role] ?? ""}`),
      );
      const branch = { entry, node, level, group: null };
      this.#branches.set(entry.item, branch);
      into.append(node);
      this.#followBranch(branch);
    }
    if (end === entries.length) return;
    const more = element(
      "li",
      null,
      { role: "treeitem", tabindex: -1, "aria-level": level },
      `${entries.length - end} more`,
    );
    const fill = (): void => {
      const hadFocus = document.activeElement === more;
      more.remove();
      this.#append(into, entries, end, level);
      if (hadFocus) this.#branches.get(entries[end].item)?.node.focus();
    };
    more.addEventListener("click", fill);
    more.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") fill();
    });
    into.append(more);
  }

  /** Open and close what the picture has opened and closed. */
  #follow(): void {
    for (const branch of [...this.#branches.values()]) this.#followBranch(branch);
  }

  #followBranch(branch: Branch): void {
    if (branch.entry.kind === Kind.operation) return;
    const open = this.navigator.isOpen(branch.entry.item);
    setAttribute(branch.node, "aria-expanded", String(open));
    if (open && branch.group === null && this.#filled < MOST_FILLED) void this.#fill(branch);
    else if (!open && branch.group !== null) this.#empty(branch);
  }

  async #fill(branch: Branch): Promise<void> {
    const group = element("ul", null, { role: "group" });
    branch.group = group;
    this.#filled++;
    branch.node.append(group);
    const request = this.#request;
    try {
      const entries = await this.navigator.engine.children(branch.entry.item);
      if (request !== this.#request || branch.group !== group) return;
      this.#append(group, entries, 0, branch.level + 1);
      this.#followSelection();
    } catch (error) {
      if (request === this.#request) this.navigator.trouble.emit(error);
    }
  }

  #empty(branch: Branch): void {
    for (const node of branch.group?.querySelectorAll<HTMLElement>("[data-item]") ?? []) {
      const item = Number(node.dataset["item"]);
      if (this.#branches.get(item)?.group) this.#filled--;
      this.#branches.delete(item);
    }
    this.#filled--;
    if (this.#current && branch.group?.contains(this.#current)) this.#makeCurrent(branch.node);
    branch.group?.remove();
    branch.group = null;
  }

  #followSelection(): void {
    const { selection } = this.navigator;
    const item = selection?.kind === "item" ? selection.item : -1;
    const node = this.#branches.get(item)?.node ?? null;
    if (this.#selected !== node) this.#selected?.setAttribute("aria-selected", "false");
    this.#selected = node;
    if (node === null) return;
    setAttribute(node, "aria-selected", "true");
    this.#makeCurrent(node);
  }

  /** One node of the tree at a time can be reached with the Tab key. */
  #makeCurrent(node: HTMLLIElement): void {
    this.#current?.setAttribute("tabindex", "-1");
    this.#current = node;
    node.setAttribute("tabindex", "0");
  }

  /** Those who see the picture while they use the tree see where they are. */
  #focused(node: HTMLLIElement): void {
    this.#makeCurrent(node);
    const branch = this.#branches.get(Number(node.dataset["item"]));
    if (branch?.group === null && this.navigator.isOpen(branch.entry.item)) void this.#fill(branch);
    const { geometry, stage } = this.navigator;
    const box = geometry?.boxOf(Number(node.dataset["item"])) ?? -1;
    stage.pointed = { ...stage.pointed, hoverBox: box };
    this.navigator.bringIntoSight(box);
  }

  #press(event: KeyboardEvent): void {
    const node = (event.target as HTMLElement).closest<HTMLLIElement>('[role="treeitem"]');
    if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
    const item = node.dataset["item"] === undefined ? null : Number(node.dataset["item"]);
    const expanded = node.getAttribute("aria-expanded");
    const all = [...this.element.querySelectorAll<HTMLLIElement>('[role="treeitem"]')];
    const place = all.indexOf(node);
    let handled = true;
    if (event.key === "ArrowDown") all[place + 1]?.focus();
    else if (event.key === "ArrowUp") all[place - 1]?.focus();
    else if (event.key === "Home") all[0]?.focus();
    else if (event.key === "End") all[all.length - 1]?.focus();
    else if (event.key === "ArrowRight" && expanded === "true") all[place + 1]?.focus();
    else if (event.key === "ArrowRight" && expanded === "false") this.#toggle(item);
    else if (event.key === "ArrowLeft" && expanded === "true") this.#toggle(item);
    else if (event.key === "ArrowLeft") {
      node.parentElement?.closest<HTMLLIElement>('[role="treeitem"]')?.focus();
    } else if ((event.key === "Enter" || event.key === " ") && item !== null) {
      this.navigator.select({ kind: "item", item });
    } else handled = false;
    if (!handled) return;
    event.preventDefault();
    event.stopPropagation();
  }

  #toggle(item: number | null): void {
    if (item !== null) void this.navigator.toggle(item);
  }
}

/** Set an attribute only when it is another one, so that screen readers hear of what changes only. */
function setAttribute(node: HTMLElement, name: string, value: string): void {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}
