import type { Client } from "../protocol/client.js";
import type { PanelView } from "./link-panel.js";

/** Which graphs and runs the kernel has, as text. */
export function mountSummary(host: HTMLElement, client: Client): PanelView {
  void client.hello().then(({ graphs, runs }) => {
    const names = [
      ...graphs.map(({ graph, operations }) => `${graph}: ${operations} operations`),
      ...runs.map(({ name, state }) => `${name}: ${state}`),
    ];
    host.textContent = names.join("\n");
  });
  return { dispose: () => host.replaceChildren() };
}
