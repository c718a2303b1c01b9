/**
 * Builds what a browser runs: `node build.mjs` for JupyterLab and for notebook cells, with `--watch`
 * again after every change; `node build.mjs --programs test` (or `bench`) for Node.
 */
import { existsSync, watch } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { buildLabextension } from "./building/labextension.mjs";
import { source, schema, style } from "./building/paths.mjs";
import { buildPrograms } from "./building/programs.mjs";
import { buildWidget } from "./building/widget.mjs";

const { values: options } = parseArgs({
  options: { watch: { type: "boolean", default: false }, programs: { type: "string" } },
});

async function buildAll() {
  const minify = !options.watch;
  const begun = performance.now();
  const sizes = [`JupyterLab extension ${kilobytes(await buildLabextension({ minify }))}`];
  if (existsSync(join(source, "widget", "index.ts"))) {
    sizes.push(`widget ${kilobytes(await buildWidget({ minify }))}`);
  }
  console.log(`built: ${sizes.join(", ")} in ${Math.round(performance.now() - begun)} ms`);
}

function kilobytes(bytes) {
  return `${Math.round(bytes / 1000)} kB`;
}

/** Runs the build after each burst of changes; a build that fails is told and waited out. */
function rebuildOnChange() {
  let timer = null;
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(() => buildAll().catch((error) => console.error(error.message)), 100);
  };
  for (const folder of [source, style, schema]) {
    watch(folder, { recursive: true }, changed);
  }
}

try {
  if (options.programs) {
    await buildPrograms(options.programs);
  } else {
    await buildAll();
  }
} catch (error) {
  console.error(error.message);
  if (!options.watch) {
    process.exit(1);
  }
}
if (options.watch) {
  rebuildOnChange();
}
