import { canvasWidths } from "../paint/text.js";
import { decodeGraph } from "../protocol/decode.js";
import type { Client } from "../protocol/client.js";
import type { Engine } from "../scene/types.js";
import { connectGestures } from "./gestures.js";
import { Navigator } from "./navigator.js";
import { Pointer } from "./pointer.js";
import { Stage } from "./stage.js";
import { ThemeWatch } from "./theme-watch.js";

export interface GraphViewOptions {
  readonly client: Client;
  readonly engine: Engine;
  readonly theme?: "light" | "dark";
}

export class GraphView {
  readonly stage = new Stage();
  readonly navigator: Navigator;
  readonly #abort = new AbortController();
  readonly #theme: ThemeWatch;

  constructor(
    host: HTMLElement,
    private readonly options: GraphViewOptions,
  ) {
    host.classList.add("workbench-graph");
    host.append(this.stage.element);
    this.#theme = new ThemeWatch(host, options.theme ?? null, () => this.#readTheme());
    const theme = this.#theme.read();
    const widths = canvasWidths(
      document.createElement("canvas").getContext("2d") as CanvasRenderingContext2D,
      theme.font,
    );
    this.navigator = new Navigator(options.engine, this.stage, theme, widths);
    this.navigator.trouble.connect((error) => console.error(error));
    connectGestures(this.stage, new Pointer(this.navigator), true, this.#abort.signal);
    Object.assign(host, { workbench: this });
  }

  async show(name: string): Promise<void> {
    const { result, buffers } = await this.options.client.request("graph.get", { graph: name });
    await this.navigator.load(decodeGraph(result, buffers));
  }

  #readTheme(): void {
    const theme = this.#theme.read();
    this.navigator.setTheme(
      theme,
      canvasWidths(
        document.createElement("canvas").getContext("2d") as CanvasRenderingContext2D,
        theme.font,
      ),
    );
  }
}
