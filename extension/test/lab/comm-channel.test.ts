import assert from "node:assert/strict";
import test from "node:test";

import { CommChannel } from "../../src/lab/comm-channel.js";
import { DataComms } from "../../src/lab/data-comms.js";
import { FakeKernel, settle } from "./fake-kernel.js";

function connect(kernel: FakeKernel, dataComms = new DataComms()): CommChannel {
  return new CommChannel(kernel.connection, dataComms);
}

test("what is sent early waits until the kernel has opened its comm, and keeps its order", async () => {
  const kernel = new FakeKernel();
  const channel = connect(kernel);
  channel.send({ id: 1 });
  channel.send({ id: 2 });
  await settle();
  const [control] = kernel.comms;
  assert.deepEqual(control?.opened, { view: channel.view, protocol: 1 });
  assert.deepEqual(control?.sent, []);
  kernel.accept();
  channel.send({ id: 3 });
  assert.deepEqual(control?.sent, [{ id: 1 }, { id: 2 }, { id: 3 }]);
  assert.equal(await channel.opened, null);
  channel.close();
});

test("the comm is opened after its subshell has started, never before", async () => {
  const kernel = new FakeKernel();
  kernel.supportsSubshells = true;
  let started = () => undefined as void;
  kernel.subshellStarted = new Promise((resolve) => (started = resolve));
  const channel = connect(kernel);
  await settle();
  assert.equal(kernel.comms[0]?.opened, null);
  started();
  await settle();
  assert.notEqual(kernel.comms[0]?.opened, null);
  channel.close();
});

test("a kernel without subshells is not waited for", async () => {
  const kernel = new FakeKernel();
  kernel.subshellStarted = new Promise(() => undefined);
  const channel = connect(kernel);
  await settle();
  assert.notEqual(kernel.comms[0]?.opened, null);
  channel.close();
});

test("a subshell that does not start is waited for only so long", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const kernel = new FakeKernel();
  kernel.supportsSubshells = true;
  kernel.subshellStarted = new Promise(() => undefined);
  const channel = connect(kernel);
  await settle();
  context.mock.timers.tick(4_999);
  await settle();
  assert.equal(kernel.comms[0]?.opened, null);
  context.mock.timers.tick(1);
  await settle();
  assert.notEqual(kernel.comms[0]?.opened, null);
  channel.close();
});

test("a subshell from before a restart is given up for a new one", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const kernel = new FakeKernel();
  kernel.supportsSubshells = true;
  kernel.subshellStarted = Promise.resolve();
  kernel.subshellId = "old";
  kernel.subshells = ["new"];
  const channel = connect(kernel);
  await settle();
  assert.equal(kernel.comms.length, 1);
  assert.equal(kernel.comms[0]?.isDisposed, true);
  assert.equal(kernel.comms[0]?.opened, null);
  kernel.subshellId = "new";
  context.mock.timers.tick(50);
  await settle();
  assert.equal(kernel.comms.length, 2);
  assert.notEqual(kernel.comms[1]?.opened, null);
  channel.close();
});

test("each of two views gets its own messages, with views that typed arrays accept", async () => {
  const kernel = new FakeKernel();
  const dataComms = new DataComms();
  const [one, other] = [connect(kernel, dataComms), connect(kernel, dataComms)];
  await settle();
  const received: unknown[] = [];
  one.onMessage = () => assert.fail("not for this view");
  other.onMessage = (message, [buffer]) => {
    received.push(message);
    assert.ok(buffer);
    assert.equal(new Float64Array(buffer.buffer, buffer.byteOffset, 1)[0], 1.5);
  };
  kernel.openData(one.view);
  const unaligned = new Uint8Array(12);
  new DataView(unaligned.buffer).setFloat64(4, 1.5, true);
  kernel.openData(other.view).receive({ method: "x" }, [unaligned.subarray(4)]);
  assert.deepEqual(received, [{ method: "x" }]);
  one.close();
  other.close();
});

test("a comm for another page's view is left alone", () => {
  const kernel = new FakeKernel();
  new DataComms().listen(kernel.connection);
  for (const view of ["somebody else's", 3, undefined]) {
    assert.equal(kernel.openData(view).isDisposed, false);
  }
});

test("a kernel without the workbench closes the comm at once", async () => {
  const kernel = new FakeKernel();
  const channel = connect(kernel);
  let closed = 0;
  channel.onClose = () => closed++;
  await settle();
  kernel.comms[0]?.close();
  assert.equal(await channel.opened, "absent");
  assert.equal(closed, 1);
  assert.throws(() => channel.send({ id: 1 }), /closed/);
});

for (const status of ["restarting", "autorestarting", "terminating", "dead"] as const) {
  test(`a kernel that is ${status} closes the channel, which sends it nothing more`, async () => {
    const kernel = new FakeKernel();
    const channel = connect(kernel);
    let closed = 0;
    channel.onClose = () => closed++;
    await settle();
    kernel.accept();
    kernel.setStatus(status);
    assert.equal(closed, 1);
    assert.equal(kernel.comms[0]?.isDisposed, false, "no message to a kernel that ends");
    channel.close();
    assert.equal(closed, 1);
  });
}

test("closing tells the kernel, once, and not the view", async () => {
  const kernel = new FakeKernel();
  const channel = connect(kernel);
  channel.onClose = () => assert.fail("the view closed it itself");
  await settle();
  kernel.accept();
  channel.close();
  channel.close();
  assert.equal(kernel.comms[0]?.isDisposed, true);
});

test("closed before the kernel has answered, nothing is left open", async () => {
  const kernel = new FakeKernel();
  const channel = connect(kernel);
  channel.close();
  await settle();
  assert.equal(await channel.opened, "closed");
  assert.ok(kernel.comms.every(({ opened, isDisposed }) => opened === null && isDisposed));
});

test("a connection that does not handle comms is not asked", async () => {
  const kernel = new FakeKernel();
  kernel.handleComms = false;
  assert.equal(await connect(kernel).opened, "elsewhere");
  assert.equal(kernel.comms.length, 0);
});

test("a busy kernel is waited for, an idle one that is silent is given up", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const kernel = new FakeKernel();
  kernel.status = "busy";
  const channel = connect(kernel);
  let reason: string | null | undefined;
  void channel.opened.then((given) => (reason = given));
  await settle();
  context.mock.timers.tick(60_000);
  await settle();
  assert.equal(reason, undefined);
  kernel.status = "idle";
  context.mock.timers.tick(10_000);
  await settle();
  assert.equal(reason, "silent");
});
