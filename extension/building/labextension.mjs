/** The prebuilt JupyterLab extension: a remote entry, its description, and the settings' schemas. */
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { build, transform } from "esbuild";

import { browser, styles } from "./bundle.mjs";
import { extension, labextension, schema, source } from "./paths.mjs";

/** Modules of the page: taken from it at run time, never bundled. */
const SHARED = /^(@jupyterlab|@lumino)\//;

/** The releases that the extension is written for; `jupyter labextension list` checks them. */
const RANGES = { "@jupyterlab/services": "^7.2.0", "@jupyterlab/coreutils": "^6.2.0" };
const JUPYTERLAB = "^4.2.0";
const LUMINO = "^2.0.0";

export async function buildLabextension({ minify }) {
  const { text: plugins, shared } = await bundlePlugins({ minify });
  const entry = await remoteEntry({ minify, shared, plugins, css: await styles({ minify }) });
  const hash = createHash("sha256").update(entry).digest("hex").slice(0, 16);
  const remote = `remoteEntry.${hash}.js`;

  const folder = join(labextension, "static");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, remote), entry);
  for (const name of await readdir(folder)) {
    if (name !== remote) {
      await rm(join(folder, name));
    }
  }
  await rm(join(labextension, "schemas"), { recursive: true, force: true });
  const description = await describe(`static/${remote}`, shared);
  const schemas = join(labextension, "schemas", description.name);
  await cp(schema, schemas, { recursive: true });
  await writeJson(join(schemas, "package.json.orig"), description);
  await writeJson(join(labextension, "package.json"), description);
  await writeJson(join(labextension, "install.json"), {
    packageManager: "python",
    packageName: description.name,
    uninstallInstructions: `pip uninstall ${description.name}`,
  });
  return entry.length;
}

/** The plugins as a CommonJS module, and the names of the shared modules that it requires. */
async function bundlePlugins({ minify }) {
  const made = await build({
    ...browser({ minify }),
    entryPoints: [join(source, "lab", "index.ts")],
    format: "cjs",
    external: ["@jupyterlab/*", "@lumino/*"],
  });
  const [output] = Object.values(made.metafile.outputs);
  const shared = [...new Set(output.imports.map(({ path }) => path))].sort();
  const strange = shared.filter((name) => !SHARED.test(name));
  if (strange.length > 0) {
    throw new Error(`JupyterLab shares no such modules: ${strange.join(", ")}`);
  }
  return { text: made.outputFiles[0].text, shared };
}

/** One script: registers the container, whose modules run when JupyterLab asks for them. */
async function remoteEntry({ minify, shared, plugins, css }) {
  const { code: federation } = await transform(
    await readFile(join(extension, "building", "container.ts"), "utf8"),
    { loader: "ts", format: "iife", globalName: "federation", target: "es2022" },
  );
  const script = `(() => {
${federation}
const style = () => {
  const sheet = document.createElement("style");
  sheet.textContent = ${JSON.stringify(css)};
  document.head.append(sheet);
};
const plugins = (module, exports, require) => {
${plugins}
};
(window._JUPYTERLAB ??= {}).workbench = federation.container(${JSON.stringify(shared)}, {
  "./extension": plugins,
  "./style": style,
});
})();
`;
  const made = await transform(script, { minify, target: "es2022", charset: "utf8" });
  return made.code;
}

async function describe(load, shared) {
  const own = JSON.parse(await readFile(join(extension, "package.json"), "utf8"));
  const range = (name) => RANGES[name] ?? (name.startsWith("@lumino/") ? LUMINO : JUPYTERLAB);
  return {
    name: own.name,
    version: own.version,
    description: own.description,
    license: own.license,
    keywords: ["jupyter", "jupyterlab", "jupyterlab-extension"],
    dependencies: Object.fromEntries(shared.map((name) => [name, range(name)])),
    jupyterlab: {
      extension: true,
      outputDir: "../workbench/labextension",
      schemaDir: "schema",
      _build: { load, extension: "./extension", style: "./style" },
    },
  };
}

async function writeJson(path, value) {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}
