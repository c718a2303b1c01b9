/** What all bundles have in common, and the worker that they carry as text. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { build } from "esbuild";

import { source, style } from "./paths.mjs";

/** esbuild's options for everything that runs in a browser. */
export function browser(options) {
  return {
    bundle: true,
    write: false,
    metafile: true,
    platform: "browser",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    logLevel: "silent", // errors are thrown, and told once
    loader: { ".svg": "text" },
    plugins: [workerText(options)],
    minify: options.minify,
  };
}

/**
 * `import text from "workbench:worker"` gives the bundled worker as a string, to be started from a
 * Blob: that works under any base URL, and inside a widget that is one file.
 */
export function workerText({ minify }) {
  return {
    name: "worker-text",
    setup(plugins) {
      plugins.onResolve({ filter: /^workbench:worker$/ }, () => ({
        path: join(source, "engine", "worker.ts"),
        namespace: "worker-text",
      }));
      plugins.onLoad({ filter: /.*/, namespace: "worker-text" }, async ({ path }) => {
        const made = await build({
          entryPoints: [path],
          bundle: true,
          write: false,
          format: "iife",
          platform: "browser",
          target: "es2022",
          charset: "utf8",
          legalComments: "none",
          logLevel: "silent",
          minify,
        });
        return { contents: made.outputFiles[0].text, loader: "text" };
      });
    },
  };
}

/** All style sheets in `style/` as one, in order of their names, without those left out. */
export async function styles({ minify, without = [] }) {
  const names = (await readdir(style)).filter((name) => name.endsWith(".css")).sort();
  const made = await build({
    stdin: {
      contents: names
        .filter((name) => !without.includes(name))
        .map((name) => `@import "./${name}";`)
        .join("\n"),
      loader: "css",
      resolveDir: style,
    },
    bundle: true,
    write: false,
    charset: "utf8",
    loader: { ".svg": "dataurl" },
    logLevel: "silent",
    minify,
  });
  return made.outputFiles[0].text;
}
