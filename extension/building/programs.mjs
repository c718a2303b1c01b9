/** Tests and benchmarks, each bundled into one module that Node runs. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { build } from "esbuild";

import { workerText } from "./bundle.mjs";
import { extension, programs } from "./paths.mjs";

export async function buildPrograms(folder) {
  // Folders below `bench` are pages, which need a browser.
  const wanted = folder === "test" ? /\.test\.ts$/ : /^[^/\\]+\.ts$/;
  const names = await readdir(join(extension, folder), { recursive: true });
  const out = join(programs, folder);
  await rm(out, { recursive: true, force: true });
  await build({
    entryPoints: names
      .filter((name) => wanted.test(name))
      // Side by side, for a pattern without folders: Node's releases differ in what they search.
      .map((name) => ({
        in: join(extension, folder, name),
        out: name.replace(/\.ts$/, "").replaceAll(/[/\\]/g, "-"),
      })),
    outdir: out,
    bundle: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: "inline",
    logLevel: "silent",
    plugins: [workerText({ minify: false })],
  });
}
