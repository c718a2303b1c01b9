import { startEngine } from "../../src/engine/start.js";
import { Client } from "../../src/protocol/client.js";
import { GraphView } from "../../src/view/graph-view.js";
import { FakeKernel } from "./fake-kernel.js";
import { timeFrames, timeUntilSettled } from "./timing.js";

/** `page.html?theme=dark`: what a driver finds as `window.bench`. */
const query = new URLSearchParams(location.search);
const theme = query.get("theme");
const kernel = new FakeKernel();
const opened: unknown[] = [];
const view = new GraphView(document.getElementById("host") as HTMLElement, {
  client: new Client(kernel),
  engine: startEngine(),
  ...(theme === "light" || theme === "dark" ? { theme } : {}),
  onOpenCell: (cell, line) => opened.push([cell, line]),
});

Object.assign(window, {
  bench: {
    view,
    kernel,
    opened,
    timeFrames,
    timeUntilSettled,
    connect: () => new Client(new FakeKernel()),
  },
});
