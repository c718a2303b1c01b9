/** Builds the page for timing the graph view: `node bench/page/build.mjs FOLDER`. */
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { build } from "esbuild";

import { browser } from "../../building/bundle.mjs";
import { extension, style } from "../../building/paths.mjs";

const [folder] = process.argv.slice(2);
if (!folder) {
  console.error("usage: node bench/page/build.mjs FOLDER");
  process.exit(2);
}
const page = join(extension, "bench", "page");
await mkdir(folder, { recursive: true });
const made = await build({
  ...browser({ minify: false }),
  entryPoints: [join(page, "page.ts")],
  format: "esm",
});
await writeFile(join(folder, "page.js"), made.outputFiles[0].contents);
await copyFile(join(page, "index.html"), join(folder, "index.html"));
await copyFile(join(style, "graph.css"), join(folder, "graph.css"));
