import type { Client } from "../protocol/client.js";

/** The little of BokehJS that is used here. */
export interface BokehModel {
  readonly id: string;
  readonly type: string;
  /** Of grids only, 0 for x. */
  readonly dimension?: number;
  /** Of figures only. */
  readonly x_range?: BokehModel;
  readonly left?: readonly BokehModel[];
  document: BokehDocument | null;
  setv(values: Readonly<Record<string, unknown>>): void;
  on_event(name: string, callback: (event: { readonly x: number }) => void): void;
}

export interface BokehSource extends BokehModel {
  data: Record<string, unknown>;
  stream(columns: Record<string, readonly number[]>, rollover?: number): void;
}

export interface BokehDocument {
  readonly all_models: Iterable<BokehModel>;
  get_model_by_id(id: string): BokehModel | null;
  roots(): BokehModel[];
  clear(): void;
}

export interface BokehViews {
  readonly roots: readonly { readonly model: BokehModel }[];
  clear(): void;
}

export interface Bokeh {
  readonly version: string;
  readonly embed: { embed_item(item: object, target: HTMLElement): Promise<BokehViews> };
  readonly Models: { get(name: string): (new (values: object) => BokehModel) | null | undefined };
  readonly documents: BokehDocument[];
  set_log_level?(level: string): void;
}

/** Milliseconds that a script of more than a megabyte may take to arrive and to run. */
const PATIENCE = 30_000;

/** On the page and not in this module, since a page may hold several copies of the module. */
interface Page {
  Bokeh?: Bokeh & Record<string, unknown>;
  /** By kernel, which has one version: the script is more than a megabyte and travels once. */
  workbenchBokeh?: Map<string, Promise<Bokeh>>;
}

/** BokehJS of the version that the kernel has, fetched from it once for each page. */
export function loadBokeh(client: Client, kernel: string): Promise<Bokeh> {
  const page = window as Page;
  const loading = (page.workbenchBokeh ??= new Map<string, Promise<Bokeh>>());
  let bokeh = loading.get(kernel);
  if (!bokeh) {
    bokeh = fetchBokeh(client, page);
    loading.set(kernel, bokeh);
    // A failure is told to those who wait; the next view may try again.
    bokeh.catch(() => loading.delete(kernel));
  }
  return bokeh;
}

async function fetchBokeh(client: Client, page: Page): Promise<Bokeh> {
  const { result, buffers } = await client.request("bokeh.script", {}, { timeout: PATIENCE });
  const there = bokehOf(page, result.version);
  if (there) return there;
  await runScript(buffers[0], result.version);
  const made = bokehOf(page, result.version);
  if (!made) throw new Error(`The script of Bokeh ${result.version} did not bring it.`);
  made.set_log_level?.("error");
  return made;
}

/** Bokeh keeps its versions side by side: the first as itself, the others under their numbers. */
function bokehOf(page: Page, version: string): Bokeh | null {
  if (page.Bokeh?.version === version) return page.Bokeh;
  return (page.Bokeh?.[version] as Bokeh | undefined) ?? null;
}

function runScript(text: DataView | undefined, version: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!text || text.byteLength === 0) {
      reject(new Error("The kernel has no script of Bokeh."));
      return;
    }
    // JupyterLab and old notebooks define `require`, `define` or `module`, to which a script may
    // bind itself instead of to the window: inside this function there are none.
    const head = "(function (define, require, module, exports) {";
    const bytes = new Uint8Array(text.buffer as ArrayBuffer, text.byteOffset, text.byteLength);
    const blob = new Blob([head, bytes, "\n}).call(window);"], { type: "text/javascript" });
    const address = URL.createObjectURL(blob);
    const script = document.createElement("script");
    const finish = (error: Error | null) => {
      clearTimeout(timer);
      URL.revokeObjectURL(address);
      script.remove();
      if (error) reject(error);
      else resolve();
    };
    const timer = setTimeout(
      () => finish(new Error(`Bokeh ${version} did not start within 30 s.`)),
      PATIENCE,
    );
    script.onload = () => finish(null);
    script.onerror = () => finish(new Error(`This page does not let Bokeh ${version} run.`));
    script.src = address;
    document.head.append(script);
  });
}
