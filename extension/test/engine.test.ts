import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

import workerText from "workbench:worker";

import { EngineClient, type WorkerLike } from "../src/engine/client.js";
import { GraphEngine } from "../src/engine/engine.js";
import { buffersOf, type Request } from "../src/engine/messages.js";
import { randomGraph } from "./random.js";

const GRAPH = randomGraph({ count: 300, seed: 1, aside: 0.1 });

/** The bundled worker in a thread of Node's, which has other names for the same things. */
function startThread(): WorkerLike & { readonly thread: Worker } {
  const names = `
    const { parentPort } = require("node:worker_threads");
    globalThis.postMessage = (message, transfer) => parentPort.postMessage(message, transfer);
    parentPort.on("message", (data) => globalThis.onmessage({ data }));
  `;
  const thread = new Worker(names + workerText, { eval: true });
  const worker = {
    thread,
    onmessage: null as WorkerLike["onmessage"],
    onerror: null as WorkerLike["onerror"],
    postMessage: (message: unknown) => thread.postMessage(message),
    terminate: () => void thread.terminate(),
  };
  thread.on("message", (data: unknown) => worker.onmessage?.({ data } as MessageEvent));
  return worker;
}

/** A worker that answers when it is told to. */
class SlowWorker implements WorkerLike {
  onmessage: WorkerLike["onmessage"] = null;
  onerror: WorkerLike["onerror"] = null;
  readonly requests: Request[] = [];
  terminated = false;

  postMessage(message: unknown): void {
    this.requests.push(message as Request);
  }

  answer(index: number, result: unknown): void {
    this.onmessage?.({ data: { id: this.requests[index].id, result } } as MessageEvent);
  }

  terminate(): void {
    this.terminated = true;
  }
}

test("a worker answers all that an engine in the same thread does", async () => {
  const client = new EngineClient({ makeWorker: startThread, timeoutSeconds: 20 });
  const engine = new GraphEngine();
  try {
    const loaded = await client.load(GRAPH, { aspect: 1.5 });
    assert.deepEqual(loaded, await engine.load(GRAPH, { aspect: 1.5 }));
    const open = Uint32Array.of(300, 301, 302);
    const pairs: [unknown, unknown][] = [
      [await client.scene(open), await engine.scene(open)],
      [await client.visible(open), await engine.visible(open)],
      [await client.search("op_1", 5), await engine.search("op_1", 5)],
      [await client.reveal(7), await engine.reveal(7)],
      [await client.path(0, 299), await engine.path(0, 299)],
      [await client.upstream(50, 3), await engine.upstream(50, 3)],
      [await client.downstream(50, Infinity), await engine.downstream(50, Infinity)],
      [await client.children(-1), await engine.children(-1)],
      [await client.svg(open, "dark"), await engine.svg(open, "dark")],
    ];
    for (const [there, here] of pairs) assert.deepEqual(there, here);
    await assert.rejects(client.search("/(/", 5), /no regular expression/);
    assert.equal(GRAPH.edgeSource.length > 0, true, "the graph has not been moved away");
  } finally {
    client.dispose();
  }
  await assert.rejects(client.scene(new Uint32Array()), /No graph/);
});

test("an answer twice is the same: what is kept is not moved away", async () => {
  const client = new EngineClient({ makeWorker: startThread, timeoutSeconds: 20 });
  try {
    await client.load(GRAPH, { aspect: 1.5 });
    const open = Uint32Array.of(300, 305);
    assert.deepEqual(await client.scene(open), await client.scene(open));
    assert.deepEqual(await client.upstream(5, 9), await client.upstream(5, 9));
  } finally {
    client.dispose();
  }
});

for (const [name, makeWorker] of [
  ["there is none", () => null],
  [
    "it may not be started",
    () => {
      throw new Error("refused by the page's policy");
    },
  ],
] as [string, () => WorkerLike | null][]) {
  test(`without a worker, because ${name}, the work is done here`, async () => {
    const client = new EngineClient({ makeWorker });
    await client.load(GRAPH, { aspect: 1.5 });
    const [first, second] = await Promise.all([
      client.scene(Uint32Array.of(300)),
      client.scene(new Uint32Array()),
    ]);
    assert.ok(first.item.length > 0 && second.item.length > 0);
    client.dispose();
    await assert.rejects(client.reveal(3), /No graph has been loaded/);
  });
}

test("of scenes that are asked for while one is made, only the newest is made", async () => {
  const worker = new SlowWorker();
  const client = new EngineClient({ makeWorker: () => worker });
  void client.load(GRAPH, { aspect: 1 }).catch(() => undefined);
  const scenes = [1, 2, 3, 4].map((item) => client.scene(Uint32Array.of(item)));
  const opened = () => worker.requests.slice(1).map(({ given }) => [...(given[0] as Uint32Array)]);
  assert.deepEqual(opened(), [[1]]);
  worker.answer(1, "first");
  assert.equal(await scenes[0], "first");
  assert.deepEqual(opened(), [[1], [4]]);
  worker.answer(2, "last");
  assert.deepEqual(await Promise.all(scenes.slice(1)), ["last", "last", "last"]);
  client.dispose();
});

test("a worker that is late is given up, with an error to all who wait", async () => {
  const worker = new SlowWorker();
  const client = new EngineClient({ makeWorker: () => worker, timeoutSeconds: 0.02 });
  const waiting = [
    client.load(GRAPH, { aspect: 1 }),
    client.reveal(3),
    client.scene(Uint32Array.of(3)),
  ];
  for (const one of waiting) await assert.rejects(one, /has not answered for 0.02 s/);
  assert.ok(worker.terminated);
});

test("a worker that fails is given up, and the next graph gets another one", async () => {
  const workers: SlowWorker[] = [];
  const client = new EngineClient({
    makeWorker: () => {
      workers.push(new SlowWorker());
      return workers[workers.length - 1];
    },
  });
  const first = client.load(GRAPH, { aspect: 1 });
  workers[0].onerror?.({ message: "out of memory" } as ErrorEvent);
  await assert.rejects(first, /out of memory/);
  const second = client.load(GRAPH, { aspect: 1 });
  workers[1].answer(0, { open: new Uint32Array(), items: 5 });
  assert.equal((await second).items, 5);
  client.dispose();
  assert.ok(workers[1].terminated);
});

test("an answer that nobody waits for changes nothing", async () => {
  const worker = new SlowWorker();
  const client = new EngineClient({ makeWorker: () => worker });
  const loading = client.load(GRAPH, { aspect: 1 });
  worker.onmessage?.({ data: { id: 99, result: "?" } } as MessageEvent);
  worker.answer(0, { open: new Uint32Array(), items: 1 });
  assert.equal((await loading).items, 1);
  client.dispose();
  await assert.rejects(client.load(GRAPH, { aspect: 1 }), /No graph/);
});

test("typed arrays move, each buffer once", () => {
  const shared = new Uint32Array(4);
  const other = new Float32Array(2);
  assert.deepEqual(buffersOf({ a: shared, b: shared.subarray(1), c: other, d: "text", e: null }), [
    shared.buffer,
    other.buffer,
  ]);
  assert.deepEqual(buffersOf(shared), [shared.buffer]);
  assert.deepEqual(buffersOf([{ item: 1 }]), []);
  assert.deepEqual(buffersOf(null), []);
});
