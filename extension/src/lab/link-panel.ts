import type { NotebookPanel } from "@jupyterlab/notebook";
import type { Message } from "@lumino/messaging";
import { Widget } from "@lumino/widgets";

import type { Client, Subscription } from "../protocol/client.js";
import type { KernelLink } from "./kernel-link.js";
import { describeLink, NO_NOTEBOOK, type LinkText } from "./link-texts.js";
import { LOAD } from "./load-workbench.js";
import type { KernelLinks } from "./tokens.js";

export const PANEL_CLASS = "workbench-panel";

/** What a panel shows of a kernel, until it is disposed of. */
export interface PanelView<Request> {
  /** Turns to something else. */
  show(request: Request): void;
  /** The kernel can be reached again, over a new connection; it may have been restarted. */
  reconnect(client: Client): void;
  dispose(): void;
}

export interface LinkPanelOptions<Request> {
  readonly links: KernelLinks;
  /** Draws the view into an empty element. */
  mount(host: HTMLElement, client: Client, notebook: NotebookPanel): PanelView<Request>;
  /** Loads the workbench into a notebook's kernel. */
  load(notebook: NotebookPanel): Promise<void>;
  /** True: the panel shows whichever notebook the user works in. False: it stays with its first. */
  followsNotebook(): boolean;
  /** What more is to be said where there is no kernel to ask. */
  readonly withoutKernel?: string;
}

/**
 * A panel that shows a view of a notebook's kernel, and says what is true when there is none to show.
 *
 * Where a view was shown before, it stays: it says itself that its picture is the last that came.
 */
export class LinkPanel<Request = object> extends Widget {
  #notebook: NotebookPanel | null = null;
  #link: KernelLink | null = null;
  #view: PanelView<Request> | null = null;
  #client: Client | null = null;
  /** What to show as soon as there is a view. */
  #request: Request | null = null;
  #subscriptions: Subscription[] = [];
  readonly #currentChanged: Subscription;
  readonly #forgetNotebook = () => this.#follow(null);
  readonly #name = element("div", "workbench-panel-name");
  readonly #notice = element("div", "workbench-panel-notice");
  readonly #host = element("div", "workbench-panel-host");

  constructor(private readonly options: LinkPanelOptions<Request>) {
    super();
    this.addClass(PANEL_CLASS);
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

  /** Turns the view to something, now or as soon as the kernel can be asked. */
  turnTo(request: Request): void {
    if (this.#view) {
      this.#view.show(request);
    } else {
      this.#request = request;
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
    const { withoutKernel } = this.options;
    if (withoutKernel && (!state || state.kind === "no-kernel" || state.kind === "dead")) {
      this.#notice.append(element("p", "", withoutKernel));
    }
    this.#notice.hidden = !text;
    this.node.dataset["state"] = state?.kind ?? "no-notebook";
    if (state?.kind === "open") {
      this.#connect(state.client);
    }
  }

  #connect(client: Client): void {
    if (!this.#notebook || this.#client === client) {
      return;
    }
    this.#client = client;
    if (this.#view) {
      this.#view.reconnect(client);
      return;
    }
    const host = element("div", "workbench-panel-view");
    this.#host.append(host);
    this.#view = this.options.mount(host, client, this.#notebook);
    this.addClass("workbench-has-view");
    if (this.#request) {
      this.#view.show(this.#request);
    }
    this.#request = null;
  }

  #unmount(): void {
    this.#view?.dispose();
    this.#view = this.#client = null;
    this.removeClass("workbench-has-view");
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
