import assert from "node:assert/strict";
import test from "node:test";

import type { Kernel } from "@jupyterlab/services";

import { DataComms } from "../../src/lab/data-comms.js";
import { KernelLink, obstacleOf, type LinkState } from "../../src/lab/kernel-link.js";
import { describeLink } from "../../src/lab/link-texts.js";
import { type FakeComm, FakeKernel, FakeSession, settle } from "./fake-kernel.js";

function linkTo(kernel: FakeKernel | null) {
  const session = new FakeSession(kernel);
  const link = new KernelLink(session.context, new DataComms());
  const seen: LinkState["kind"][] = [];
  link.onChange(() => seen.push(link.state.kind));
  return { session, link, seen };
}

/** The kernel opens its comm and answers `hello`. */
async function answer(kernel: FakeKernel, protocol = 1): Promise<FakeComm> {
  await settle();
  const control = kernel.comms.at(-1);
  const data = kernel.accept();
  await settle();
  const { id, method } = control?.sent.at(-1) as { id: number; method: string };
  assert.equal(method, "hello");
  const result = { protocol, version: "9.9", kernel: "k", graphs: [], runs: [] };
  data.receive({ id, result });
  await settle();
  return data;
}

test("nobody asks a kernel before somebody uses the link", async () => {
  const kernel = new FakeKernel();
  const { link } = linkTo(kernel);
  await settle();
  assert.equal(link.state.kind, "unused");
  assert.equal(kernel.comms.length, 0);
  link.dispose();
});

test("two users share one connection, which ends with the last", async () => {
  const kernel = new FakeKernel();
  const { link, seen } = linkTo(kernel);
  const [one, other] = [link.use(), link.use()];
  await answer(kernel);
  assert.deepEqual(seen, ["connecting", "open"]);
  assert.ok(link.client);
  one.dispose();
  one.dispose();
  assert.equal(link.state.kind, "open");
  other.dispose();
  assert.equal(link.state.kind, "unused");
  assert.equal(link.client, null);
  assert.equal(kernel.comms.length, 1);
  assert.equal(kernel.comms[0]?.isDisposed, true);
  link.dispose();
});

test("a kernel without the workbench is asked again after each execution, without a flicker", async () => {
  const kernel = new FakeKernel();
  const { session, link, seen } = linkTo(kernel);
  link.use();
  for (let time = 1; time <= 3; time++) {
    await settle();
    assert.equal(kernel.comms.length, time);
    kernel.comms.at(-1)?.close();
    await settle();
    assert.equal(link.state.kind, "absent");
    session.executed();
  }
  await answer(kernel);
  assert.deepEqual(seen, ["connecting", "absent", "open"]);
  link.dispose();
});

test("a restart ends the connection, and the new kernel life gets another one", async () => {
  const kernel = new FakeKernel();
  const { session, link, seen } = linkTo(kernel);
  link.use();
  await answer(kernel);
  const first = link.client;
  kernel.setStatus("restarting");
  assert.equal(link.client, null);
  assert.equal(first?.closed, true);
  // The old life says that it is busy with ending, and idle.
  kernel.setStatus("busy");
  kernel.setStatus("idle");
  await settle();
  assert.equal(kernel.comms.length, 1);
  kernel.connectionStatus = "connecting";
  kernel.setStatus("unknown");
  kernel.connectionStatus = "connected";
  session.connectionStatusChanged.emit("connected");
  kernel.setStatus("starting");
  kernel.setStatus("idle");
  await answer(kernel);
  assert.notEqual(link.client, first);
  const life = ["connecting", "open"];
  assert.deepEqual(seen, [...life, "restarting", "starting", ...life]);
  link.dispose();
});

test("another kernel gets a connection of its own", async () => {
  const [before, after] = [new FakeKernel(), new FakeKernel()];
  const { session, link } = linkTo(before);
  link.use();
  await answer(before);
  session.kernel = null;
  session.kernelChanged.emit({});
  assert.equal(link.state.kind, "no-kernel");
  assert.equal(before.comms[0]?.isDisposed, true);
  session.kernel = after;
  session.kernelChanged.emit({});
  await answer(after);
  assert.equal(link.state.kind, "open");
  link.dispose();
});

test("an interrupted connection keeps its client", async () => {
  const kernel = new FakeKernel();
  const { session, link, seen } = linkTo(kernel);
  link.use();
  const data = await answer(kernel);
  const { client } = link;
  kernel.connectionStatus = "connecting";
  session.connectionStatusChanged.emit("connecting");
  assert.equal(link.state.kind, "disconnected");
  kernel.connectionStatus = "connected";
  session.connectionStatusChanged.emit("connected");
  await settle();
  const { id } = kernel.comms[0]?.sent.at(-1) as { id: number };
  data.receive({ id, result: { protocol: 1, version: "9.9", kernel: "k", graphs: [], runs: [] } });
  await settle();
  assert.deepEqual(seen, ["connecting", "open", "disconnected", "connecting", "open"]);
  assert.equal(link.client, client);
  link.dispose();
});

test("a kernel that executes a cell is called busy, and opens when it has answered", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const kernel = new FakeKernel();
  kernel.status = "busy";
  const { link, seen } = linkTo(kernel);
  link.use();
  await settle();
  context.mock.timers.tick(3_000);
  assert.equal(link.state.kind, "busy");
  context.mock.timers.tick(60_000);
  await answer(kernel);
  assert.deepEqual(seen, ["connecting", "busy", "open"]);
  link.dispose();
});

test("a kernel with another protocol is refused in words", async () => {
  const kernel = new FakeKernel();
  const { link } = linkTo(kernel);
  link.use();
  await answer(kernel, 2);
  assert.equal(link.state.kind, "refused");
  assert.match(describeLink(link.state)?.detail ?? "", /protocol 2.*protocol 1/s);
  link.dispose();
});

test("the workbench unloaded under an open connection is noticed", async () => {
  const kernel = new FakeKernel();
  const { link } = linkTo(kernel);
  link.use();
  const data = await answer(kernel);
  data.onClose({});
  assert.equal(link.state.kind, "absent");
  link.dispose();
});

test("what stands in the way of a kernel", () => {
  const cases: [Kernel.Status, Kernel.ConnectionStatus, ReturnType<typeof obstacleOf>][] = [
    ["idle", "connected", null],
    ["busy", "connected", null],
    ["unknown", "connected", null],
    ["unknown", "connecting", "disconnected"],
    ["idle", "disconnected", "disconnected"],
    ["starting", "connected", "starting"],
    ["restarting", "connecting", "restarting"],
    ["autorestarting", "connected", "restarting"],
    ["terminating", "connected", "dead"],
    ["dead", "disconnected", "dead"],
  ];
  for (const [status, connectionStatus, expected] of cases) {
    const found = obstacleOf({ kernelDisplayStatus: "idle" }, { status, connectionStatus });
    assert.equal(found, expected, `${status}, ${connectionStatus}`);
  }
  assert.equal(obstacleOf({ kernelDisplayStatus: "initializing" }, null), "starting");
  assert.equal(obstacleOf({ kernelDisplayStatus: "" }, null), "no-kernel");
});
