import type { Kernel } from "@jupyterlab/services";

/** Milliseconds for the kernel's subshell to start, before the main shell must do. */
const PATIENCE = 5_000;

/** Attempts to get rid of a subshell that is no more, and milliseconds between them. */
const ATTEMPTS = 5;
const PAUSE = 50;

/** JupyterLab's own comms know their subshell; the interface does not say so. */
type SubshellComm = Kernel.IComm & {
  readonly subshellStarted?: Promise<void>;
  readonly subshellId?: string | null;
};

/**
 * A comm, not opened yet, whose messages reach a thread of the kernel that a running cell does not
 * block, if the kernel has such. Opened before its subshell has started, a comm would live in the
 * main shell, out of reach of later messages.
 */
export async function createSubshellComm(
  kernel: Kernel.IKernelConnection,
  target: string,
): Promise<Kernel.IComm> {
  // Only the kernel's own description says whether it has subshells.
  await kernel.info;
  for (let attempt = 1; ; attempt++) {
    const comm = kernel.createComm(target) as SubshellComm;
    if (!kernel.supportsSubshells || !comm.subshellStarted) {
      return comm;
    }
    await within(PATIENCE, comm.subshellStarted);
    if (attempt === ATTEMPTS || (await isAlive(kernel, comm.subshellId))) {
      return comm;
    }
    // JupyterLab shares a subshell among the comms of a target, and may still remember that of the
    // kernel's life before a restart; with its last comm it forgets it.
    comm.dispose();
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** True unless the kernel says that it has no such subshell. */
async function isAlive(
  kernel: Kernel.IKernelConnection,
  subshell: string | null | undefined,
): Promise<boolean> {
  if (!subshell) {
    return true;
  }
  const list = kernel.requestListSubshell({});
  const reply = await within(PATIENCE, list.done);
  const known: string[] | undefined = reply?.content.subshell_id; // absent from an error
  return known?.includes(subshell) ?? true;
}

/** What a promise gives, undefined if it takes longer than so many milliseconds. */
async function within<Value>(
  milliseconds: number,
  promise: Promise<Value>,
): Promise<Value | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  try {
    return await Promise.race([promise, patience]);
  } finally {
    clearTimeout(timer);
  }
}
