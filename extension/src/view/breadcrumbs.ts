import { element, link, setShown } from "./dom.js";
import type { Navigator } from "./navigator.js";

/** The scopes around the selection, from the graph inwards; each is a link. */
export class Breadcrumbs {
  readonly element = element("nav", "breadcrumbs", { "aria-label": "Where the selection is" });

  constructor(private readonly navigator: Navigator) {
    navigator.sceneChanged.connect(() => this.#fill());
    navigator.selectionChanged.connect(() => this.#fill());
  }

  #fill(): void {
    const { geometry, graph, selectedBox } = this.navigator;
    const crumbs: HTMLElement[] = [];
    if (geometry !== null) {
      for (let box = selectedBox; box >= 0; box = geometry.scene.parent[box]) {
        const item = geometry.scene.item[box];
        const follow = (): void => void this.navigator.reveal(item);
        crumbs.unshift(link(geometry.scene.labels[box], follow, geometry.scene.names[box]));
      }
    }
    const { against } = this.navigator;
    const name = against === null ? graph?.name : `${graph?.name} against ${against}`;
    crumbs.unshift(link(name ?? "", () => this.navigator.fit(), "Show all of the graph"));
    setShown(this.element, graph !== null);
    this.element.replaceChildren(
      ...crumbs.flatMap((crumb, index) =>
        index === 0
          ? [crumb]
          : [element("span", "separator", { "aria-hidden": "true" }, "›"), crumb],
      ),
    );
    crumbs[crumbs.length - 1].setAttribute("aria-current", "location");
  }
}
