// Conditionals and loops that can be opened: where what is inside stands, and how it is found.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { GraphEngine } from "../src/engine/engine.js";
import { decodeGraph } from "../src/protocol/decode.js";
import type { GraphHeader } from "../src/protocol/messages.js";
import { describeScene } from "../src/scene/describe.js";
import { findFirstOpen } from "../src/scene/first.js";
import { makeGraph, readGraph } from "../src/scene/graph.js";
import {
  ancestorsOf,
  buildHierarchy,
  findOpen,
  findVisible,
  operationsOf,
} from "../src/scene/hierarchy.js";
import { SceneBuilder } from "../src/scene/scene.js";
import { Kind, type Graph } from "../src/scene/types.js";
import { bodiesOf } from "../src/view/restore.js";
import { findNotes, noteOf, sentenceOf } from "../src/overlay/ways.js";
import { resultSizes } from "../src/overlay/weights.js";
import { assertSound } from "./checks.js";
import { randomNumbers } from "./random.js";

const EXHIBIT = join(process.cwd(), "test", "gallery", "bodies.json");
const GRAPH = readGraph((JSON.parse(readFileSync(EXHIBIT, "utf8")) as { graph: unknown }).graph);
const HIERARCHY = buildHierarchy(GRAPH);
const named = (name: string, from = 0): number => {
  const item = HIERARCHY.names.indexOf(name, from);
  assert.ok(item >= 0, `there is no ${name}`);
  return item;
};
const LOOP = named("loop/While");
const CHOICE = named("loop/choice/If");
const BODY = named("loop/While/body");

function sceneWith(...open: number[]) {
  const scene = new SceneBuilder(HIERARCHY, 1.5).build(open);
  assertSound(HIERARCHY, scene);
  return describeScene(scene);
}

test("an operation with bodies is an item that can be opened", () => {
  const { kind, mark, size, names, labels, operations } = HIERARCHY;
  assert.equal(kind[LOOP], Kind.loop);
  assert.equal(kind[CHOICE], Kind.condition);
  assert.equal(mark[named("loop", operations)], Kind.loop, "the scope that was made for it");
  assert.equal(mark[BODY], 0);
  const around = (name: string) => ancestorsOf(HIERARCHY, named(name)).map((item) => labels[item]);
  assert.deepEqual(around("loop/choice/less"), ["loop", "While", "body", "choice/If", "then"]);
  assert.deepEqual(around("loop/grow/more"), ["loop", "While", "body", "grow"]);
  assert.deepEqual(around("x"), []);
  const inside = [...operationsOf(HIERARCHY, CHOICE)].map((item) => names[item]);
  assert.equal(inside.length, size[CHOICE]);
  assert.ok(inside.includes("loop/choice/If") && inside.includes("loop/choice/less"));
  assert.ok(!inside.includes("loop/next"));
});

test("loops are closed at first, and say that they are loops", () => {
  assert.deepEqual(findFirstOpen(HIERARCHY).includes(LOOP), false);
  const { boxes } = sceneWith(named("loop", HIERARCHY.operations));
  const loop = boxes.find(({ name }) => name === "loop/While");
  assert.equal(loop?.kind, "loop");
  assert.equal(loop.type, "StatelessWhile");
  assert.ok(loop.width > 80, "there is room for the word");
});

test("inputs end at arguments, results come from inside, the way back is marked", () => {
  const scope = named("loop", HIERARCHY.operations);
  const closed = sceneWith(scope).edges;
  assert.ok(closed.some(({ source, target }) => source === "x" && target === "loop/While"));
  assert.ok(closed.every(({ back }) => !back));
  const open = sceneWith(scope, LOOP, BODY, named("loop/While/cond")).edges;
  const between = (from: string, to: string) =>
    open.find(({ source, target }) => source === from && target === to);
  assert.equal(between("x", "loop/x_1")?.back, false);
  assert.equal(between("loop/choice/If", "result")?.back, false);
  assert.equal(between("loop/choice/If", "loop/x_1")?.back, true);
  assert.equal(between("loop/While/body/next", "loop/Const_1")?.back, true, "to the condition");
  assert.equal(between("loop/Greater", "loop/choice/If")?.back, false, "the predicate");
});

test("what is inside is found, and what to open to see it", async () => {
  const engine = new GraphEngine();
  await engine.load(GRAPH, { aspect: 1.5 });
  const [hit] = await engine.search("choice/less", 5);
  assert.deepEqual([hit.name, hit.type], ["loop/choice/less", "Sub"]);
  const open = await engine.reveal(hit.item);
  assert.ok(open.includes(LOOP) && open.includes(CHOICE));
  const scene = await engine.scene(open);
  assert.ok(scene.names.includes("loop/choice/less"));
  const types = await engine.search("type:StatelessIf", 5);
  assert.deepEqual(
    types.map(({ name }) => name),
    ["loop/choice/If"],
  );
});

test("a loop is opened with its bodies, and so is the scope made for it", async () => {
  const engine = new GraphEngine();
  await engine.load(GRAPH, { aspect: 1.5 });
  const bodies = [named("loop/While/cond"), BODY];
  assert.deepEqual(await bodiesOf(engine, LOOP), bodies);
  assert.deepEqual(await bodiesOf(engine, named("loop", HIERARCHY.operations)), [LOOP, ...bodies]);
  const entries = await engine.children(LOOP);
  assert.deepEqual(
    entries.map(({ label, kind }) => [label, kind]),
    [
      ["cond", Kind.scope],
      ["body", Kind.scope],
    ],
  );
});

test("a trace goes through a loop", async () => {
  const engine = new GraphEngine();
  await engine.load(GRAPH, { aspect: 1.5 });
  const names = ({ operations }: { operations: Uint32Array }) =>
    [...operations].map((operation) => GRAPH.names[operation]);
  const upstream = names(await engine.upstream(named("result"), Infinity));
  for (const name of ["x", "limit", "loop/choice/less", "loop/grow/root", "loop/Greater"]) {
    assert.ok(upstream.includes(name), name);
  }
  for (const decides of ["loop/Greater", "loop/goes_on"]) {
    const downstream = names(await engine.downstream(named(decides), Infinity));
    assert.ok(downstream.includes("result"), decides);
  }
  const through = names(await engine.path(named("loop/goes_on"), named("result")));
  assert.deepEqual(through, ["loop/goes_on", "loop/While", "result"]);
  const path = names(await engine.path(named("limit"), named("result")));
  assert.deepEqual([path[0], path[path.length - 1]], ["limit", "result"]);
});

test("a result counts for the loop that gives it, too", () => {
  const graph = makeGraph({
    names: ["x", "loop", "argument", "twice", "y"],
    types: ["Placeholder", "While", "Placeholder", "Mul", "Neg"],
    bodies: [{ operation: 1, part: "body" }],
    body: [0, 0, 1, 1, 0],
    edges: [
      { source: 0, target: 2, shape: "float32[7]" },
      { source: 2, target: 3, shape: "float32[7]" },
      { source: 3, target: 4, owner: 1, shape: "float32[7]" },
    ],
  });
  assert.deepEqual([...resultSizes(graph)], [7, 7, 7, 7, 1]);
});

/** Loops in loops to a depth, with edges in, out, between and back at random. */
function randomNest(seed: number): Graph {
  const random = randomNumbers(seed);
  const names: string[] = [];
  const types: string[] = [];
  const body: number[] = [];
  const bodies: { operation: number; part: string }[] = [];
  const edges: { source: number; target: number; back?: boolean; owner?: number }[] = [];
  const grow = (place: number, base: string, depth: number): number[] => {
    const own: number[] = [];
    const count = 3 + Math.floor(random() * 5);
    for (let k = 0; k < count; k++) {
      const isLoop = depth > 0 && random() < 0.4;
      names.push(`${base}${isLoop ? "While" : "op"}_${names.length}`);
      types.push(isLoop ? (random() < 0.5 ? "While" : "If") : "Add");
      body.push(place);
      const operation = names.length - 1;
      if (own.length > 0) {
        const source = own[Math.floor(random() * own.length)];
        if (!waiting.some(({ operation: loop }) => loop === source))
          edges.push({ source, target: operation });
      }
      own.push(operation);
      if (isLoop) waiting.push({ operation, depth: depth - 1, base });
    }
    return own;
  };
  const waiting: { operation: number; depth: number; base: string }[] = [];
  grow(0, "", 3);
  for (let next = 0; next < waiting.length; next++) {
    const { operation, depth, base } = waiting[next];
    for (const part of ["first", "second"]) {
      const inside = grow(bodies.push({ operation, part }), `${base}s${next}/`, depth);
      edges.push({ source: inside[inside.length - 1], target: inside[0], back: true });
      edges.push({ source: 0, target: inside[0] });
    }
  }
  return makeGraph({
    names,
    types,
    bodies,
    body,
    edges: edges.filter((e) => e.source !== e.target),
  });
}

test("whatever is open of whatever nest, the picture is sound", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = randomNumbers(seed + 100);
    const graph = randomNest(seed);
    const hierarchy = buildHierarchy(graph);
    const groups = [...hierarchy.order].filter((item) => hierarchy.kind[item] !== Kind.operation);
    const builder = new SceneBuilder(hierarchy, 1.5);
    for (const share of [0, 0.5, 1]) {
      assertSound(hierarchy, builder.build(groups.filter(() => random() < share)));
    }
  }
});

test("a message that says nonsense of bodies is refused", () => {
  const header = (bodies: NonNullable<GraphHeader["bodies"]>): GraphHeader => ({
    ...{ graph: "g", version: 1, operations: 2, edges: 1, against: null, bodies },
    ...{ types: ["", "While"], devices: [""], shapes: [""] },
  });
  const view = (...bytes: number[]) => new DataView(Uint8Array.from(bytes).buffer);
  const buffers = (body: DataView) => [
    new DataView(new TextEncoder().encode("a\nb").buffer),
    ...[view(1, 0, 1, 0), view(0, 0, 0, 0), view(0, 0)],
    ...[view(0, 0, 0, 0), view(1, 0, 0, 0), view(0, 0), view(0, 0, 0, 0)],
    ...[view(), view(), body, view(0, 0, 0, 0), view(1)],
  ];
  const body = { operation: 0, part: "body", signature: 1 };
  const decoded = decodeGraph(header([body]), buffers(view(0, 0, 1, 0)));
  assert.deepEqual(decoded.nesting?.bodies[0].operation, 0);
  assert.deepEqual([...(decoded.nesting?.edgeBack ?? [])], [1]);
  const decode = (bodies: NonNullable<GraphHeader["bodies"]>, of: DataView) => () =>
    decodeGraph(header(bodies), buffers(of));
  assert.throws(decode([body], view(0, 0, 2, 0)), /body 2 at 1 is not below 2/);
  assert.throws(decode([{ ...body, operation: 2 }], view(0, 0, 1, 0)), /operation 2 of a body/);
  assert.throws(decode([body], view(1, 0, 1, 0)), /comes before body 1 around it/);
  assert.throws(decode([body], view(0)), /bodies of 2 bytes/);
});

test("what a step did is written at loops and conditions", () => {
  const unknown = () => new Float32Array(GRAPH.names.length).fill(NaN);
  const ways = { passes: unknown(), taken: unknown() };
  ways.passes[LOOP] = 5;
  ways.taken[CHOICE] = 0.25;
  const nesting = GRAPH.nesting;
  assert.ok(nesting !== null);
  const notesWith = (...open: number[]) => {
    const scene = new SceneBuilder(HIERARCHY, 1.5).build(open);
    const visible = Uint32Array.from(findVisible(HIERARCHY, findOpen(HIERARCHY, open)));
    return findNotes(ways, nesting, visible, scene).map(({ box, text }) => [
      scene.names[box],
      text,
    ]);
  };
  const scope = named("loop", HIERARCHY.operations);
  assert.deepEqual(notesWith(), [["loop", "×5"]], "at the scope that was made for it");
  assert.deepEqual(notesWith(scope), [["loop/While", "×5"]]);
  assert.deepEqual(notesWith(scope, LOOP, BODY), [
    ["loop/While", "×5"],
    ["loop/choice/If", "then 25 %"],
  ]);
  assert.equal(sentenceOf(ways, LOOP), "5 passes");
  assert.equal(sentenceOf(ways, CHOICE), "the condition held in 25 % of its turns");
  assert.equal(sentenceOf(ways, scope), null);
  assert.equal(noteOf({ ...ways, taken: ways.taken.fill(1) }, CHOICE), "then");
  assert.equal(noteOf({ ...ways, taken: ways.taken.fill(0) }, CHOICE), "else");
});
