import type { JupyterFrontEndPlugin } from "@jupyterlab/application";

import { cells } from "./cells.js";
import { graphPanel } from "./graph-panel.js";
import { kernelLinks } from "./kernel-links.js";
import { poolPanel } from "./pool-panel.js";
import { runsPanel } from "./runs-panel.js";
import { statusItem } from "./status-item.js";

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  kernelLinks,
  cells,
  graphPanel,
  runsPanel,
  poolPanel,
  statusItem,
];

export default plugins;
