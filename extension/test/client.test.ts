import assert from "node:assert/strict";
import { test } from "node:test";

import { Client } from "../src/protocol/client.js";
import { Code, ProtocolError } from "../src/protocol/errors.js";
import { Newest } from "../src/protocol/newest.js";
import { bytesOf, FakeChannel } from "./fake-channel.js";

function connected(): { client: Client; channel: FakeChannel } {
  const channel = new FakeChannel();
  return { client: new Client(channel), channel };
}

function withCode(code: number, message: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof ProtocolError && error.code === code && message.test(error.message);
}

test("answers find their requests, in whatever order they come", async () => {
  const { client, channel } = connected();
  const first = client.request("run.history", { run: "a" });
  const second = client.request("runs.list", {});
  assert.deepEqual(channel.sent, [
    { id: 1, method: "run.history", params: { run: "a" } },
    { id: 2, method: "runs.list", params: {} },
  ]);
  const steps = bytesOf(new Float64Array([1, 2]));
  channel.receive({ id: 2, result: { runs: [] } });
  channel.receive({ id: 1, result: { run: "a", names: [] } }, [steps]);
  assert.deepEqual((await second).result, { runs: [] });
  const answer = await first;
  assert.equal(answer.result.run, "a");
  assert.deepEqual(answer.buffers, [steps]);
});

test("a refusal carries the kernel's code and words", async () => {
  const { client, channel } = connected();
  const request = client.request("graph.get", { graph: "nothing" });
  channel.receive({ id: 1, error: { code: -32602, message: 'There is no graph "nothing".' } });
  await assert.rejects(request, withCode(Code.badParameters, /no graph "nothing"/));
});

test("without an answer in time the kernel is said to be busy, and a late answer is ignored", async () => {
  const { client, channel } = connected();
  const request = client.request("runs.list", {}, { timeout: 20 });
  await assert.rejects(request, withCode(Code.busy, /kernel is busy.*"runs\.list"/));
  channel.answer({ runs: [] });
  assert.equal(client.ignored, 1);
});

test("the first notification and every eighth are acknowledged", () => {
  const { channel } = connected();
  for (let sequence = 1; sequence <= 17; sequence++) {
    channel.receive({ method: "runs", params: { runs: [] }, sequence });
  }
  const params = channel.sent.map((message) => (message as { params: unknown }).params);
  assert.deepEqual(params, [{ sequence: 1 }, { sequence: 8 }, { sequence: 16 }]);
  for (const id of [1, 2, 3]) channel.receive({ id, result: {} });
});

test("what cannot be read is ignored and counted, and harms nobody", async () => {
  const { client, channel } = connected();
  const request = client.request("runs.list", {});
  const unreadable: unknown[] = [
    null,
    7,
    "text",
    [],
    {},
    { method: 3 },
    { method: "unheard-of", params: {} },
  ];
  unreadable.push(
    { method: "runs", params: null },
    { id: 99, result: {} },
    { id: "1", result: {} },
    { id: 1 },
  );
  client.on("runs", () => assert.fail("params that are no object were handed on"));
  for (const message of unreadable) channel.receive(message);
  assert.equal(client.ignored, unreadable.length);
  channel.answer({ runs: [] });
  assert.deepEqual((await request).result, { runs: [] });
});

test("notifications reach those who listen, until they stop", () => {
  const { client, channel } = connected();
  const heard: string[] = [];
  const one = client.on("graph.changed", ({ graph }) => heard.push(`one ${graph}`));
  client.on("graph.changed", ({ graph }) => heard.push(`two ${graph}`));
  const notification = {
    method: "graph.changed",
    params: { graph: "g", version: 2, operations: 5 },
  };
  channel.receive(notification);
  one.dispose();
  one.dispose();
  channel.receive(notification);
  assert.deepEqual(heard, ["one g", "two g", "two g"]);
});

test("one listener's error does not keep the news from the next", (context) => {
  const { client, channel } = connected();
  const logged = context.mock.method(console, "error", () => undefined);
  let heard = 0;
  client.on("runs", () => {
    throw new Error("broken view");
  });
  client.on("runs", () => heard++);
  channel.receive({ method: "runs", params: { runs: [] } });
  assert.equal(heard, 1);
  assert.equal(logged.mock.callCount(), 1);
});

test("when the kernel goes, requests fail and everybody hears it once", async () => {
  const { client, channel } = connected();
  const request = client.request("hello", {});
  let closed = 0;
  client.onClose(() => closed++);
  client.onClose(() => assert.fail("disposed of")).dispose();
  channel.onClose?.();
  channel.onClose?.();
  await assert.rejects(request, withCode(Code.closed, /closed/));
  await assert.rejects(client.request("hello", {}), withCode(Code.closed, /closed/));
  client.onClose(() => closed++);
  await Promise.resolve();
  assert.equal(closed, 2, "one before, one who asked afterwards");
  assert.ok(client.closed);
});

test("disposing closes the channel and fails what is pending, without an alarm", async () => {
  const { client, channel } = connected();
  const request = client.request("hello", {});
  client.onClose(() => assert.fail("closing on purpose is no news"));
  client.dispose();
  await assert.rejects(request, withCode(Code.closed, /closed/));
  assert.ok(channel.closed);
});

test("a channel that throws fails the one request", async () => {
  const { client, channel } = connected();
  channel.send = () => {
    throw new Error("comm is disposed");
  };
  await assert.rejects(client.request("hello", {}), withCode(Code.closed, /comm is disposed/));
});

test("a kernel of another protocol is refused with what to do", async () => {
  const { client, channel } = connected();
  const hello = client.hello();
  channel.answer({ protocol: 2, version: "0.9.0", kernel: "k", graphs: [], runs: [] });
  await assert.rejects(hello, withCode(Code.unreadable, /protocol 2.*install the same version/));
});

test("only the newest value is used, once a frame", () => {
  const used: number[] = [];
  const frames = new Map<number, () => void>();
  let next = 0;
  const drawFrame = () => {
    const callbacks = [...frames.values()];
    frames.clear();
    for (const callback of callbacks) callback();
  };
  const newest = new Newest<number>((value) => used.push(value), {
    request: (callback) => (frames.set(++next, callback), next),
    cancel: (frame) => frames.delete(frame),
  });
  for (const value of [1, 2, 3]) newest.put(value);
  assert.equal(frames.size, 1);
  drawFrame();
  drawFrame();
  newest.put(4);
  drawFrame();
  newest.put(5);
  newest.dispose();
  newest.put(6);
  drawFrame();
  assert.deepEqual(used, [3, 4]);
});
