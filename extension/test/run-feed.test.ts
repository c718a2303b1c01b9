import assert from "node:assert/strict";
import { test } from "node:test";

import { Client } from "../src/protocol/client.js";
import type { RunStatus } from "../src/protocol/messages.js";
import { acquireFeed } from "../src/runs/run-feed.js";
import { bytesOf, FakeChannel } from "./fake-channel.js";
import { changeAt, statusOf } from "./run-statuses.js";

function columns(steps: number[], loss: number[]): DataView[] {
  return [steps, loss].map((of) => bytesOf(new Float64Array(of), 3));
}

/** A feed of run "a", the channel below it, and how often it told of changes. */
function feeding() {
  const channel = new FakeChannel();
  const client = new Client(channel);
  const changes = { count: 0 };
  const acquired = acquireFeed(client, "a", () => changes.count++);
  const idOf = (method: string) => channel.sent.find((sent) => sent.method === method)!.id;
  const header = { run: "a", epoch: 1, names: ["loss"], count: 2, events: [] };
  const begin = async () => {
    channel.receive({ id: idOf("runs.list"), result: { runs: [statusOf({})] } });
    channel.receive({ id: idOf("run.subscribe"), result: header }, columns([1, 2], [3, 2]));
    await new Promise((resolve) => setTimeout(resolve, 0));
  };
  const update = (
    given: object,
    steps: number[],
    loss: number[],
    status: Partial<RunStatus> = {},
  ) => {
    const params = {
      run: "a",
      epoch: 1,
      status: statusOf(status),
      names: ["loss"],
      events: [],
      ...given,
    };
    channel.receive({ method: "run.update", params }, columns(steps, loss));
  };
  return { channel, client, acquired, feed: acquired.feed, begin, update, idOf, changes };
}

test("a feed begins with the past and goes on with updates", async () => {
  const { feed, begin, update, changes } = feeding();
  assert.equal(feed.ready, false);
  await begin();
  assert.deepEqual(feed.curves.of("loss"), [3, 2]);
  assert.equal(feed.status?.name, "digits");
  const before = changes.count;
  update({ events: [changeAt(3, 0.1, 0.2)] }, [3], [1], { step: 3 });
  assert.deepEqual(feed.curves.of("loss"), [3, 2, 1]);
  assert.equal(feed.status?.step, 3);
  assert.deepEqual([feed.events.length, feed.news], [1, 1]);
  assert.ok(changes.count > before);
});

test("updates that overtake the past are put behind it", async () => {
  const { feed, begin, update } = feeding();
  update({}, [3], [1], { step: 3 });
  assert.equal(feed.curves.length, 0);
  await begin();
  assert.deepEqual(feed.curves.steps, [1, 2, 3]);
  assert.equal(feed.status?.step, 3, "the status of the list is older than the update's");
});

test("after a rewind the whole history is new, and what is of the past epoch is stale", async () => {
  const { feed, begin, update } = feeding();
  await begin();
  update({ epoch: 2, reset: true }, [1], [3], { step: 1, epoch: 2 });
  assert.deepEqual(feed.curves.steps, [1]);
  update({ epoch: 1 }, [3], [1], { step: 3 });
  assert.deepEqual(feed.curves.steps, [1]);
  assert.equal(feed.status?.step, 1);
});

test("updates of other runs are not ours", async () => {
  const { feed, begin, update } = feeding();
  await begin();
  update({ run: "b" }, [3], [1], { run: "b" });
  assert.deepEqual(feed.curves.steps, [1, 2]);
});

test("a run that the kernel does not know is told in words", async () => {
  const { channel, feed, idOf } = feeding();
  const message = 'There is no run "a".';
  channel.receive({ id: idOf("run.subscribe"), error: { code: -32602, message } });
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(feed.problem, message);
});

test("views share a feed, and the last one ends it", async () => {
  const { channel, client, acquired, begin, update } = feeding();
  await begin();
  let heard = 0;
  const second = acquireFeed(client, "a", () => heard++);
  assert.equal(second.feed, acquired.feed);
  const subscribed = () => channel.sent.filter(({ method }) => method === "run.subscribe").length;
  assert.equal(subscribed(), 1);
  second.dispose();
  second.dispose();
  update({}, [3], [1]);
  assert.equal(heard, 0);
  assert.equal(channel.last.method, "run.subscribe", "still in use");
  acquired.dispose();
  assert.deepEqual([channel.last.method, channel.last.params], ["run.unsubscribe", { run: "a" }]);
  acquireFeed(client, "a", () => undefined).dispose();
  assert.equal(subscribed(), 2);
  client.dispose();
});
