/** The views in notebook cells: one module for anywidget, and its style sheet. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { build } from "esbuild";

import { browser, styles } from "./bundle.mjs";
import { source, widget } from "./paths.mjs";

export async function buildWidget({ minify }) {
  const made = await build({
    ...browser({ minify }),
    entryPoints: [join(source, "widget", "index.ts")],
    format: "esm",
  });
  await mkdir(widget, { recursive: true });
  const [script] = made.outputFiles;
  await writeFile(join(widget, "widget.js"), script.contents);
  // The panels' own rules mean nothing in a cell.
  await writeFile(join(widget, "widget.css"), await styles({ minify, without: ["lab.css"] }));
  return script.contents.length;
}
