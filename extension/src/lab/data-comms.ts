import type { Kernel, KernelMessage } from "@jupyterlab/services";

/** The comm that the kernel opens towards a view, see docs/protocol.md. */
const TARGET = "workbench.data";

type Taker = (comm: Kernel.IComm) => void;

/**
 * Hands every `workbench.data` comm to the view it is for. One target serves all views of a kernel
 * connection; a comm for another page's view is left alone, since closing it would cut that one off.
 */
export class DataComms {
  readonly #takers = new WeakMap<Kernel.IKernelConnection, Map<string, Taker>>();

  /** Registers the target, so that this page never turns a comm away; harmless when repeated. */
  listen(kernel: Kernel.IKernelConnection): void {
    this.#takersOf(kernel);
  }

  /** Call `take` with the comm for `view`, if it ever comes. */
  expect(kernel: Kernel.IKernelConnection, view: string, take: Taker): void {
    this.#takersOf(kernel).set(view, take);
  }

  forget(kernel: Kernel.IKernelConnection, view: string): void {
    this.#takers.get(kernel)?.delete(view);
  }

  #takersOf(kernel: Kernel.IKernelConnection): Map<string, Taker> {
    let takers = this.#takers.get(kernel);
    if (!takers) {
      const all = new Map<string, Taker>();
      kernel.registerCommTarget(TARGET, (comm, message) => all.get(viewOf(message))?.(comm));
      this.#takers.set(kernel, all);
      takers = all;
    }
    return takers;
  }
}

function viewOf(message: KernelMessage.ICommOpenMsg): string {
  const view = (message.content.data as { view?: unknown } | undefined)?.view;
  return typeof view === "string" ? view : "";
}
