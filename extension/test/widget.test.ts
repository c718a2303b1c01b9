import assert from "node:assert/strict";
import { test } from "node:test";

import { Client } from "../src/protocol/client.js";
import { Connection } from "../src/widget/connection.js";
import { Heartbeat } from "../src/widget/heartbeat.js";
import type { Model } from "../src/widget/model.js";
import { ModelChannel } from "../src/widget/model-channel.js";
import { FakeChannel } from "./fake-channel.js";

/** A widget's model: what it was sent, and its events. */
class FakeModel implements Model {
  readonly sent: unknown[][] = [];
  readonly #listeners = new Map<string, Set<(...given: never[]) => void>>();

  get(): undefined {
    return undefined;
  }

  send(...given: unknown[]): void {
    this.sent.push(given);
  }

  on(event: string, callback: (...given: never[]) => void): void {
    this.#listeners.set(event, (this.#listeners.get(event) ?? new Set()).add(callback));
  }

  off(event: string, callback: (...given: never[]) => void): void {
    this.#listeners.get(event)?.delete(callback);
  }

  trigger(event: string, ...given: unknown[]): void {
    for (const callback of [...(this.#listeners.get(event) ?? [])]) callback(...(given as never[]));
  }
}

test("a widget's custom messages are a channel, with buffers of any kind", async () => {
  const model = new FakeModel();
  const client = new Client(new ModelChannel(model));
  const bytes = new ArrayBuffer(2);
  const request = client.request("runs.list", {}, { buffers: [bytes] });
  assert.deepEqual(model.sent, [[{ id: 1, method: "runs.list", params: {} }, undefined, [bytes]]]);
  const whole = new Uint8Array([1, 2, 3, 4]);
  const buffers = [new DataView(whole.buffer, 1, 2), whole.subarray(2), whole.buffer];
  model.trigger("msg:custom", { id: 1, result: { runs: [] } }, buffers);
  const answer = await request;
  const read = answer.buffers.map((view) => [
    ...new Uint8Array(view.buffer, view.byteOffset, view.byteLength),
  ]);
  assert.deepEqual(read, [
    [2, 3],
    [3, 4],
    [1, 2, 3, 4],
  ]);
});

test("a widget without its kernel is closed, once, and says so to senders", async () => {
  const model = new FakeModel();
  const client = new Client(new ModelChannel(model));
  let closed = 0;
  client.onClose(() => closed++);
  model.trigger("comm_live_update");
  model.trigger("destroy");
  assert.equal(closed, 1);
  await assert.rejects(client.request("hello", {}), /closed/);
  assert.equal(model.sent.length, 0);
});

test("after it was closed here, a channel hears nothing more", () => {
  const model = new FakeModel();
  const client = new Client(new ModelChannel(model));
  client.onClose(() => assert.fail("closed on purpose"));
  client.dispose();
  model.trigger("msg:custom", { method: "runs", params: {} });
  model.trigger("comm_live_update");
  assert.equal(client.ignored, 0);
});

test("a heartbeat tells silence and return, and a refusal is no silence", async (context) => {
  context.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  const channel = new FakeChannel();
  const told: boolean[] = [];
  const heartbeat = new Heartbeat(new Client(channel), (silent) => told.push(silent), 1000);
  const settle = async () => {
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  };
  const beat = async (answer: "none" | "result" | "error") => {
    context.mock.timers.tick(1000);
    assert.equal(channel.last.method, "hello");
    if (answer === "none") context.mock.timers.tick(10_000);
    else channel.receive({ id: channel.last.id, [answer]: { code: -32603, message: "trouble" } });
    await settle();
  };
  await beat("result");
  await beat("none");
  await beat("none");
  await beat("error");
  await beat("result");
  assert.deepEqual(told, [true, false]);
  heartbeat.dispose();
  const before = channel.sent.length;
  context.mock.timers.tick(60_000);
  assert.equal(channel.sent.length, before);
});

test("a view looks for its kernel again whenever that has executed something", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const element = new EventTarget();
  const channels: FakeChannel[] = [];
  const executed = new Set<() => void>();
  element.addEventListener("workbench-channel", (event) => {
    const channel = new FakeChannel();
    channels.push(channel);
    const onExecuted = (listener: () => void) => {
      executed.add(listener);
      return { dispose: () => void executed.delete(listener) };
    };
    Object.assign((event as CustomEvent<object>).detail, { channel, onExecuted });
  });
  const told: string[] = [];
  const connection = new Connection(element as HTMLElement, () => assert.fail("its own channel"), {
    connected: () => told.push("connected"),
    lost: () => told.push("lost"),
    back: () => told.push("back"),
  });
  const refuse = async () => {
    channels.at(-1)!.onClose?.();
    await new Promise(setImmediate);
  };
  await refuse();
  for (const wait of [3_000, 15_000, 600_000]) {
    context.mock.timers.tick(wait);
    await refuse();
  }
  assert.deepEqual([channels.length, told], [3, ["lost", "lost"]], "then it is left alone");

  for (const listener of executed) listener();
  for (const listener of executed) listener(); // while it is asked: once more after that
  assert.equal(channels.length, 4);
  await refuse();
  assert.equal(channels.length, 5);
  channels.at(-1)!.answer({ protocol: 1, version: "0", kernel: "k", graphs: [], runs: [] });
  await new Promise(setImmediate);
  assert.equal(told.at(-1), "connected");
  for (const listener of executed) listener();
  assert.equal(channels.length, 5, "connected: nothing to look for");
  connection.dispose();
  assert.equal(executed.size, 0);
});
