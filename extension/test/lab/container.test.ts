import assert from "node:assert/strict";
import test from "node:test";

import {
  compareVersions,
  container,
  preferredVersion,
  type ShareScope,
} from "../../building/container.js";

const version = (value: unknown, loaded?: boolean) => ({
  get: () => Promise.resolve(() => value),
  ...(loaded ? { loaded } : {}),
});

test("versions are ordered by their numbers, a pre-release before its release", () => {
  const versions = [
    "4.10.0",
    "4.9.2",
    "4.9.10",
    "5.0.0-beta.10",
    "5.0.0-beta.2",
    "5.0.0",
    "4.9.2+x",
  ];
  const sorted = [...versions].sort(compareVersions);
  assert.deepEqual(sorted, [
    "4.9.2",
    "4.9.2+x",
    "4.9.10",
    "4.10.0",
    "5.0.0-beta.2",
    "5.0.0-beta.10",
    "5.0.0",
  ]);
});

test("the version in use is taken before a newer one, else the newest", () => {
  const older = version("older", true);
  const newer = version("newer");
  assert.equal(preferredVersion({ "4.0.0": older, "4.1.0": newer }), older);
  assert.equal(preferredVersion({ "4.0.0": version("x"), "4.1.0": newer }), newer);
  assert.equal(preferredVersion({}), null);
});

test("a module gets the page's modules and runs once, whoever asks for it", async () => {
  let runs = 0;
  const made = container(["@lumino/widgets", "@jupyterlab/launcher"], {
    "./extension": (module, exports, require) => {
      runs++;
      Object.assign(exports, { widgets: require("@lumino/widgets") });
      Object.assign(exports, { launcher: require("@jupyterlab/launcher") });
      assert.equal(module.exports, exports);
    },
  });
  const scope: ShareScope = { "@lumino/widgets": { "2.0.0": version("the page's widgets") } };
  made.init(scope);
  const [one, other] = await Promise.all([made.get("./extension"), made.get("./extension")]);
  assert.equal(runs, 0, "asking runs nothing");
  assert.equal(one(), other());
  assert.equal(runs, 1);
  // What the page lacks is empty: a token imported from it is undefined, and so not required.
  assert.deepEqual(one(), { widgets: "the page's widgets", launcher: {} });
});

test("an unknown module is refused by name", async () => {
  const made = container([], {});
  made.init({});
  await assert.rejects(made.get("./nothing"), /no module \.\/nothing/);
});
