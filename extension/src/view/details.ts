import { formatCount } from "../overlay/format.js";
import { CONTROL, Kind, type TreeEntry } from "../scene/types.js";
import type { Line, NodeDetails } from "../protocol/messages.js";
import { element, iconButton, link as linkButton, setShown, setText } from "./dom.js";
import { lineElement, type OpenCell } from "./line.js";
import type { Link } from "./link.js";
import type { Navigator } from "./navigator.js";
import type { Status } from "./status.js";

interface Surroundings {
  readonly openCell: OpenCell | null;
  /** What stands below: the value of a tensor, watches. */
  readonly live: HTMLElement;
  /** What a run's last observed step did in a loop or condition. */
  readonly wayOf: (operation: number) => string | null;
  /** Another tensor is of interest. */
  readonly onTensor: (tensor: string | null) => void;
}

const ROLE_NAMES = ["forward", "backward (gradients)", "update (optimizer)", "auxiliary"];
const STATUS_NAMES = ["", "added", "removed", "changed"];
const MOST_LINKS = 12;
/** The most of the stage's height that the panel takes in a narrow view, as in graph.css. */
const SHEET = 0.45;

/** What is known of the selection, at the side of the picture. */
export class Details {
  readonly element = element("aside", "details", { "aria-label": "Details", hidden: true });
  /** The tensor that can be looked at, of the selected operation or edge; null for scopes. */
  tensor: string | null = null;
  readonly #title = element("h2", "details-title");
  /** What it is and who made it; below that stands its value, then the rest. */
  readonly #head = element("div", "details-head");
  readonly #way = element("p", "details-way", { hidden: true });
  readonly #body = element("div", "details-body");
  #request = 0;
  #operations: Map<string, number> | null = null;

  constructor(
    private readonly navigator: Navigator,
    private readonly link: Link,
    private readonly status: Status,
    private readonly surroundings: Surroundings,
  ) {
    const close = iconButton("close", "Close the details (Escape)", () => navigator.select(null));
    this.element.append(
      element("header", "details-header", {}, this.#title, close),
      this.#head,
      this.#way,
      surroundings.live,
      this.#body,
    );
    navigator.selectionChanged.connect(() => void this.show());
    navigator.sceneChanged.connect(() => (this.#operations = null));
  }

  /** Say what is known of the selected loop or condition by now. */
  updateWay(): void {
    const { selection } = this.navigator;
    const said = selection?.kind === "item" ? this.surroundings.wayOf(selection.item) : null;
    setShown(this.#way, said !== null);
    setText(this.#way, said ?? "");
  }

  /** Show the selection. */
  async show(): Promise<void> {
    const { navigator } = this;
    const request = ++this.#request;
    const { selection, graph, geometry } = navigator;
    const shown = selection !== null && graph !== null && geometry !== null;
    setShown(this.element, shown);
    this.#cover(shown);
    this.updateWay();
    if (!shown) return this.#setTensor(null);
    try {
      if (selection.kind === "edge") this.#showEdge();
      else if (selection.item < graph.names.length)
        await this.#showOperation(selection.item, request);
      else await this.#showGroup(selection.item, request);
    } catch (error) {
      if (request === this.#request) this.status.fail(error);
    }
  }

  /** Tell how much of the stage the panel takes: its side, or in a narrow view its lower part. */
  #cover(shown: boolean): void {
    const { stage, viewpoint } = this.navigator;
    const width = shown ? this.element.offsetWidth : 0;
    const isSheet = width > 0 && width >= 0.9 * stage.size.width;
    viewpoint.right = isSheet ? 0 : width;
    viewpoint.bottom = isSheet ? SHEET * stage.size.height : 0;
  }

  #setTensor(tensor: string | null): void {
    if (tensor === this.tensor) return;
    this.tensor = tensor;
    this.surroundings.onTensor(tensor);
  }

  async #showOperation(item: number, request: number): Promise<void> {
    const { graph } = this.navigator;
    if (graph === null) return;
    // What the graph says itself is there at once; the kernel's answer fills in the rest.
    this.#heading(graph.names[item], graph.types[graph.type[item]]);
    this.#show([
      facts([
        ["Type", graph.types[graph.type[item]]],
        ["Role", ROLE_NAMES[graph.role[item]] ?? ""],
        ["Runs on", graph.devices[graph.device[item]]],
      ]),
    ]);
    const { name, version } = graph;
    const { against } = this.navigator;
    const wanted = { graph: name, node: item, against, version };
    const [{ result }, children] = await Promise.all([
      this.link.request("graph.node", wanted),
      this.navigator.engine.children(item),
    ]);
    if (request !== this.#request) return;
    const status = STATUS_NAMES[graph.status?.[item] ?? 0];
    const size = children.reduce((sum, child) => sum + child.operations, 1);
    const changes = (result.changes ?? []).map((change) => element("li", null, {}, change));
    this.#show(
      [
        facts([
          ["Type", result.type],
          ["Role", ROLE_NAMES[result.role] ?? ""],
          ["Device", result.device],
          ["Runs on", placeText(result.runs_on)],
          ["Holds", size === 1 ? "" : `${formatCount(size - 1)} operations`],
          ["Diff", status],
        ]),
        ...section("Changed", changes.length === 0 ? null : element("ul", "list", {}, ...changes)),
        ...this.#line(result.line),
        ...this.#around(result),
      ],
      [
        ...this.#inputs(result),
        ...this.#outputs(result),
        ...section("Holds", children.length === 0 ? null : this.#children(children)),
        ...section("Attributes", result.attributes.length === 0 ? null : facts(result.attributes)),
      ],
    );
    // Values inside are gone with the pass that made them.
    this.#setTensor(result.inside ? null : (result.outputs[0]?.tensor ?? null));
  }

  async #showGroup(item: number, request: number): Promise<void> {
    const { geometry, engine } = this.navigator;
    const box = geometry?.boxOf(item) ?? -1;
    if (geometry === null || box < 0) return;
    const { scene } = geometry;
    const series = scene.kind[box] === Kind.series;
    this.#heading(scene.names[box], series ? `${scene.repeats[box]} repeated blocks` : "scope");
    this.#setTensor(null);
    const children = await engine.children(item);
    if (request !== this.#request) return;
    this.#show([
      facts([
        ["Operations", formatCount(scene.operations[box])],
        ["Blocks", series ? String(scene.repeats[box]) : ""],
        ["Role", ROLE_NAMES[scene.role[box]] ?? ""],
        ["Diff", STATUS_NAMES[scene.status[box]] ?? ""],
      ]),
      ...section("Holds", this.#children(children)),
    ]);
  }

  #showEdge(): void {
    const { geometry, graph, selectedEdge: edge } = this.navigator;
    if (geometry === null || graph === null || edge < 0) return;
    const { scene } = geometry;
    const example = scene.edgeExample[edge];
    const output = graph.edgeOutput[example];
    const owner = graph.nesting?.edgeOwner[example] ?? graph.edgeSource[example];
    const source = graph.names[owner];
    const isBack = graph.nesting?.edgeBack[example] === 1;
    const isInside = (graph.nesting?.body[owner] ?? 0) > 0;
    const target = graph.names[graph.edgeTarget[example]];
    const control = output === CONTROL;
    const tensor = control ? null : `${source}:${output}`;
    const kind = isBack ? "to the next pass" : control ? "control edge" : "tensor";
    this.#heading(tensor ?? `^${source}`, kind);
    const count = scene.edgeTensors[edge];
    // What a conditional or loop gives comes from something inside of it.
    const from = [...new Set([source, graph.names[graph.edgeSource[example]]])];
    this.#show([
      facts([
        ["Shape", scene.edgeLabels[edge]],
        ["Tensors", count > 1 ? `${count}, this is one of them` : ""],
      ]),
      ...section("From", list(from.map((operation) => this.#operationLink(operation)))),
      ...section("To", list([this.#operationLink(target)])),
    ]);
    this.#setTensor(isInside ? null : tensor);
  }

  #show(head: readonly HTMLElement[], body: readonly HTMLElement[] = []): void {
    this.#head.replaceChildren(...head);
    this.#body.replaceChildren(...body);
  }

  #heading(name: string, kind: string): void {
    // Long names break at their slashes.
    const parts = name
      .split("/")
      .flatMap((part, index) => (index === 0 ? [part] : [element("wbr", null), `/${part}`]));
    this.#title.replaceChildren(...parts);
    this.#title.title = `${name} (${kind})`;
    this.#title.append(element("span", "details-kind", {}, kind));
  }

  #line(line: Line | null): HTMLElement[] {
    if (line === null) return [];
    return section("Made by", lineElement(line, this.surroundings.openCell));
  }

  /** The conditional or loop that it is in. */
  #around({ inside }: NodeDetails): HTMLElement[] {
    if (!inside) return [];
    const link = this.#operationLink(inside.operation);
    return section("Inside", element("span", null, {}, link, `, ${inside.part}`));
  }

  #inputs({ inputs, control_inputs: control }: NodeDetails): HTMLElement[] {
    const rows = inputs.map(({ tensor, shape }) =>
      element(
        "span",
        null,
        {},
        this.#operationLink(tensor),
        " ",
        element("span", "shape", {}, shape),
      ),
    );
    const order = control.map((name) =>
      element("span", null, {}, "after ", this.#operationLink(name)),
    );
    return section(
      "Inputs",
      inputs.length + control.length === 0 ? null : list([...rows, ...order]),
    );
  }

  #outputs({ outputs, inside }: NodeDetails): HTMLElement[] {
    const rows = outputs.map(({ tensor, shape, consumers }) =>
      element(
        "div",
        null,
        {},
        inside ? tensor : linkButton(tensor, () => this.#setTensor(tensor), "Look at its value"),
        " ",
        element("span", "shape", {}, shape),
        list(consumers.map((name) => element("span", null, {}, "→ ", this.#operationLink(name)))),
      ),
    );
    return section("Outputs", outputs.length === 0 ? null : list(rows));
  }

  #children(children: readonly TreeEntry[]): HTMLElement {
    return list(
      children.map(({ item, label, type, operations, kind }) =>
        element(
          "span",
          null,
          {},
          linkButton(label, () => void this.navigator.reveal(item)),
          " ",
          element("span", "shape", {}, kind === Kind.operation ? type : `${operations} operations`),
        ),
      ),
    );
  }

  /** A link to an operation by its name or a tensor's. */
  #operationLink(name: string): HTMLElement {
    const operation = name.replace(/^\^/, "").replace(/:\d+$/, "");
    return linkButton(name, () => {
      this.#operations ??= new Map(
        this.navigator.graph?.names.map((other, index) => [other, index]),
      );
      const item = this.#operations.get(operation);
      if (item === undefined) this.status.say(`${operation} is not in this graph.`);
      else void this.navigator.reveal(item);
    });
  }
}

function facts(rows: readonly (readonly [string, string])[]): HTMLElement {
  const entries = rows.filter(([, value]) => value !== "");
  return element(
    "dl",
    "facts",
    {},
    ...entries.flatMap(([name, value]) => [
      element("dt", null, {}, name),
      element("dd", null, {}, value),
    ]),
  );
}

function section(title: string, content: HTMLElement | null): HTMLElement[] {
  return content === null ? [] : [element("h3", null, {}, title), content];
}

/** A list that shows its beginning and, when asked, the rest. */
function list(rows: readonly HTMLElement[]): HTMLElement {
  const entries = rows.map((row) => element("li", null, {}, row));
  const made = element("ul", "list", {}, ...entries.slice(0, MOST_LINKS));
  const rest = entries.slice(MOST_LINKS);
  if (rest.length > 0) {
    const more = linkButton(`${rest.length} more`, () => last.replaceWith(...rest));
    const last = element("li", null, {}, more);
    made.append(last);
  }
  return made;
}

/** Where an operation runs, and why there; nothing where that is not known. */
function placeText(place: NodeDetails["runs_on"]): string {
  if (!place) return "";
  return place.why === "" ? place.device : `${place.device} (${place.why})`;
}
