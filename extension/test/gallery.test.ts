// Small graphs with stored pictures: what changes a picture shows in a review. After a change that
// is meant, GALLERY=write npm test draws them anew.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { GraphEngine } from "../src/engine/engine.js";
import { readGraph } from "../src/scene/graph.js";
import { buildHierarchy } from "../src/scene/hierarchy.js";
import { SceneBuilder } from "../src/scene/scene.js";
import { Kind } from "../src/scene/types.js";
import { assertSound } from "./checks.js";

/** npm runs tests in the folder of package.json. */
const FOLDER = join(process.cwd(), "test", "gallery");

interface Exhibit {
  readonly aspect: number;
  /** By the picture's name: the scopes to open, or what is open at first. */
  readonly views: Record<string, { open: string[] | "first" | "all"; theme: "light" | "dark" }>;
  /** A GraphDef in JSON. */
  readonly graph: unknown;
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

test("the gallery is not empty", () => assert.ok(files.length >= 8));

for (const file of files) {
  const { aspect, views, graph } = JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as Exhibit;
  for (const [view, { open, theme }] of Object.entries(views)) {
    const picture = `${file.replace(/\.json$/, "")}.${view}.svg`;
    test(`gallery: ${picture}`, async () => {
      const read = readGraph(graph);
      const engine = new GraphEngine();
      const first = await engine.load(read, { aspect });
      const hierarchy = buildHierarchy(read);
      const isGroup = (item: number): boolean => hierarchy.kind[item] !== Kind.operation;
      const groups = hierarchy.names.flatMap((name, item) =>
        isGroup(item) ? [{ name, item }] : [],
      );
      const wanted =
        open === "first"
          ? first.open
          : Uint32Array.from(
              groups.filter(({ name }) => open === "all" || open.includes(name)),
              ({ item }) => item,
            );
      if (Array.isArray(open)) assert.equal(wanted.length, open.length, "all of them are there");
      assertSound(hierarchy, new SceneBuilder(hierarchy, aspect).build(wanted));
      const drawn = await engine.svg(wanted, theme);
      if (process.env["GALLERY"] === "write") writeFileSync(join(FOLDER, picture), drawn);
      const stored = readFileSync(join(FOLDER, picture), "utf8");
      assert.ok(drawn === stored, `${picture} has changed; GALLERY=write npm test stores it anew`);
    });
  }
}
