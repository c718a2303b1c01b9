import type { JupyterFrontEndPlugin } from "@jupyterlab/application";

import { graphPanel } from "./graph-panel.js";

const plugins: JupyterFrontEndPlugin<unknown>[] = [graphPanel];

export default plugins;
