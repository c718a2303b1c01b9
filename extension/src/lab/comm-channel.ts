import type { Kernel, KernelMessage } from "@jupyterlab/services";

import type { Channel } from "../protocol/channel.js";
import { PROTOCOL } from "../protocol/client.js";
import { newIdentity } from "../protocol/identity.js";
import type { DataComms } from "./data-comms.js";
import { createSubshellComm } from "./subshell.js";

const TARGET = "workbench.control";

/** Milliseconds between looks at a kernel that has not answered yet. */
const PATIENCE = 10_000;

/**
 * - `absent`: the kernel has no workbench loaded;
 * - `elsewhere`: another connection of this page has the kernel's comms;
 * - `silent`: the kernel is idle and yet did not answer;
 * - `gone`: the kernel restarted, ended, or closed the channel;
 * - `closed`: this side closed it.
 */
export type CloseReason = "absent" | "elsewhere" | "silent" | "gone" | "closed";

interface Message {
  readonly message: object;
  readonly buffers: readonly ArrayBuffer[];
}

/**
 * A channel to a kernel: the control comm that this side opens, and the data comm that the kernel
 * opens in answer. What is sent before both are open waits. While the kernel executes a cell, that
 * can take as long as the cell; `opened` tells when.
 */
export class CommChannel implements Channel {
  onMessage: Channel["onMessage"] = null;
  onClose: Channel["onClose"] = null;
  /** Settled once: with null when both comms are open, or with why they never will be. */
  readonly opened: Promise<CloseReason | null>;
  /** The view's id, which the kernel's comm names. */
  readonly view = newIdentity();

  #control: Kernel.IComm | null = null;
  #waiting: Message[] | null = [];
  #closed: CloseReason | null = null;
  #settle: (reason: CloseReason | null) => void = () => undefined;
  #timer: ReturnType<typeof setInterval> | null = null;
  readonly #kernelChanged = () => this.#checkKernel();

  constructor(
    private readonly kernel: Kernel.IKernelConnection,
    private readonly dataComms: DataComms,
  ) {
    this.opened = new Promise((resolve) => {
      this.#settle = resolve;
    });
    kernel.statusChanged.connect(this.#kernelChanged);
    kernel.disposed.connect(this.#kernelChanged);
    this.#timer = setInterval(() => this.#checkSilence(), PATIENCE);
    void this.#open();
  }

  send(message: object, buffers: readonly ArrayBuffer[] = []): void {
    if (this.#closed) {
      throw new Error("The connection to the kernel is closed.");
    }
    if (this.#waiting) {
      this.#waiting.push({ message, buffers });
    } else {
      this.#transmit({ message, buffers });
    }
  }

  close(): void {
    this.#end("closed");
  }

  async #open(): Promise<void> {
    const { kernel, view } = this;
    if (!kernel.handleComms) {
      this.#end("elsewhere");
      return;
    }
    this.dataComms.expect(kernel, view, (comm) => this.#connected(comm));
    try {
      const control = await createSubshellComm(kernel, TARGET);
      if (this.#closed) {
        control.dispose();
        return;
      }
      this.#control = control;
      control.onClose = () => this.#end(this.#waiting ? "absent" : "gone");
      control.open({ view, protocol: PROTOCOL });
    } catch (error) {
      console.warn("workbench: the kernel's comm could not be opened", error);
      this.#end("gone");
    }
  }

  #connected(data: Kernel.IComm): void {
    this.dataComms.forget(this.kernel, this.view);
    data.onMsg = (message) => this.#receive(message);
    data.onClose = () => this.#end("gone");
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    this.#stopTimer();
    for (const message of waiting) {
      this.#transmit(message);
    }
    this.#settle(null);
  }

  #transmit({ message, buffers }: Message): void {
    this.#control?.send(message as Parameters<Kernel.IComm["send"]>[0], undefined, [...buffers]);
  }

  #receive({ content, buffers }: KernelMessage.ICommMsgMsg): void {
    this.onMessage?.(content.data, (buffers ?? []).map(alignedView));
  }

  #checkKernel(): void {
    if (isEnding(this.kernel)) {
      this.#end("gone");
    }
  }

  /** A kernel that executes something may answer late; one that is idle has lost the message. */
  #checkSilence(): void {
    if (this.kernel.status === "idle" && this.kernel.connectionStatus === "connected") {
      this.#end("silent");
    }
  }

  #end(reason: CloseReason): void {
    if (this.#closed) {
      return;
    }
    this.#closed = reason;
    this.#stopTimer();
    this.#waiting = null;
    this.kernel.statusChanged.disconnect(this.#kernelChanged);
    this.kernel.disposed.disconnect(this.#kernelChanged);
    this.dataComms.forget(this.kernel, this.view);
    this.#closeControl(reason);
    this.#settle(reason);
    if (reason !== "closed") {
      this.onClose?.();
    }
  }

  /** The kernel then closes the data comm itself. */
  #closeControl(reason: CloseReason): void {
    const control = this.#control;
    this.#control = null;
    const asked = reason === "closed" || reason === "silent";
    if (control && asked && !control.isDisposed && !isEnding(this.kernel)) {
      control.onClose = () => undefined;
      control.close();
    }
  }

  #stopTimer(): void {
    if (this.#timer !== null) {
      clearInterval(this.#timer);
    }
    this.#timer = null;
  }
}

function isEnding(kernel: Kernel.IKernelConnection): boolean {
  const ending = ["restarting", "autorestarting", "terminating", "dead"];
  return kernel.isDisposed || ending.includes(kernel.status);
}

/** Typed arrays need offsets that are multiples of their items' size. */
function alignedView(buffer: ArrayBuffer | ArrayBufferView): DataView {
  if (!ArrayBuffer.isView(buffer)) {
    return new DataView(buffer);
  }
  const { byteOffset, byteLength } = buffer;
  if (byteOffset % 8 === 0) {
    return new DataView(buffer.buffer, byteOffset, byteLength);
  }
  return new DataView(buffer.buffer.slice(byteOffset, byteOffset + byteLength));
}
