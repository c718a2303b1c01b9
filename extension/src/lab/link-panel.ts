import type { NotebookPanel } from "@jupyterlab/notebook";
import type { Message } from "@lumino/messaging";
import { Widget } from "@lumino/widgets";

import type { Client, Subscription } from "../protocol/client.js";
import type { KernelLink } from "./kernel-link.js";
import { describeLink, NO_NOTEBOOK, type LinkText } from "./link-texts.js";
import { LOAD } from "./load-workbench.js";
import type { KernelLinks } from "./tokens.js";

/** What a panel shows of an open connection, until it is disposed of. */
export interface PanelView {
  dispose(): void;
  /** The panel is visible again, or has another size. */
  resized?(): void;
}

export interface LinkPanelOptions {
  readonly links: KernelLinks;
  /** Draws the view into an empty element. */
  mount(host: HTMLElement, client: Client, notebook: NotebookPanel): PanelView;
  /** Loads the workbench into a notebook's kernel. */
  load(notebook: NotebookPanel): Promise<void>;
  /** True: the panel shows whichever notebook the user works in. False: it stays with its first. */
  followsNotebook(): boolean;
}

/** A panel that shows a view of a notebook's kernel, and what is true when there is none to show. */
export class LinkPanel extends Widget {
  #notebook: NotebookPanel | null = null;
  #link: KernelLink | null = null;
  #view: { readonly client: Client; readonly view: PanelView } | null = null;
  #subscriptions: Subscription[] = [];
  readonly #currentChanged: Subscription;
  readonly #forgetNotebook = () => this.#follow(null);
  readonly #name = element("div", "workbench-panel-name");
  readonly #notice = element("div", "workbench-panel-notice");
  readonly #host = element("div", "workbench-panel-host");

  constructor(private readonly options: LinkPanelOptions) {
    super();
    this.addClass("workbench-panel");
    this.#notice.setAttribute("role", "status");
    this.node.append(this.#name, this.#notice, this.#host);
    this.#currentChanged = options.links.onCurrentChange(() => this.followCurrent());
    this.followCurrent();
  }

  /** Turns to the notebook that the user works in, if this panel follows. */
  followCurrent(): void {
    const { current } = this.options.links;
    if (!this.#notebook || this.options.followsNotebook()) {
      this.#follow(current);
    }
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.#currentChanged.dispose();
    this.#follow(null);
    super.dispose();
  }

  protected override onResize(message: Widget.ResizeMessage): void {
    super.onResize(message);
    this.#view?.view.resized?.();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.#view?.view.resized?.();
  }

  protected override onCloseRequest(message: Message): void {
    super.onCloseRequest(message);
    this.dispose();
  }

  #follow(notebook: NotebookPanel | null): void {
    if (notebook !== null && notebook === this.#notebook) {
      return;
    }
    this.#unmount();
    this.#notebook?.disposed.disconnect(this.#forgetNotebook);
    for (const subscription of this.#subscriptions) {
      subscription.dispose();
    }
    this.#notebook = notebook;
    this.#link = notebook ? this.options.links.of(notebook) : null;
    notebook?.disposed.connect(this.#forgetNotebook);
    // First the listener: using the link may change its state at once.
    this.#subscriptions = this.#link
      ? [this.#link.onChange(() => this.#update()), this.#link.use()]
      : [];
    this.#update();
  }

  #update(): void {
    const state = this.#link?.state;
    const text = state ? describeLink(state) : NO_NOTEBOOK;
    this.#name.textContent = this.#notebook?.title.label ?? "";
    this.#name.title = this.#notebook?.context.path ?? "";
    this.#notice.replaceChildren(...(text ? this.#describe(text) : []));
    this.#notice.hidden = !text;
    this.node.dataset["state"] = state?.kind ?? "no-notebook";
    if (state?.kind === "open") {
      this.#show(state.client);
    } else if (state?.kind !== "disconnected") {
      // What an interrupted connection has shown is still the latest there is.
      this.#unmount();
    }
  }

  #show(client: Client): void {
    if (!this.#notebook || this.#view?.client === client) {
      return;
    }
    this.#unmount();
    const host = element("div", "workbench-panel-view");
    this.#host.append(host);
    this.#view = { client, view: this.options.mount(host, client, this.#notebook) };
  }

  #unmount(): void {
    this.#view?.view.dispose();
    this.#view = null;
    this.#host.replaceChildren();
  }

  #describe({ title, detail, load, waiting }: LinkText): Node[] {
    const nodes = [element("strong", "", title), element("p", "", detail)];
    if (waiting) {
      nodes[0]?.classList.add("workbench-waiting");
    }
    if (load) {
      const button = element("button", "workbench-load jp-mod-styled jp-mod-accept", `Run ${LOAD}`);
      button.addEventListener("click", () => void this.#load(button as HTMLButtonElement));
      nodes.push(button);
    }
    return nodes;
  }

  async #load(button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    try {
      if (this.#notebook) {
        await this.options.load(this.#notebook);
      }
    } finally {
      button.disabled = false;
    }
  }
}

function element(tag: string, className: string, text?: string): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) {
    made.textContent = text;
  }
  return made;
}
