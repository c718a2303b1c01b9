import type { Kernel, KernelMessage } from "@jupyterlab/services";
import type { ISessionContext } from "@jupyterlab/apputils";
import { Signal } from "@lumino/signaling";

/** What a front end sees of a comm, and what was done with it. */
export class FakeComm {
  onMsg: (message: KernelMessage.ICommMsgMsg) => void = () => undefined;
  onClose: (message: unknown) => void = () => undefined;
  isDisposed = false;
  opened: unknown = null;
  readonly sent: unknown[] = [];
  subshellStarted: Promise<void> | undefined;
  subshellId: string | null = null;

  open(data: unknown): void {
    this.opened = data;
  }

  send(data: unknown): void {
    this.sent.push(data);
  }

  close(): void {
    this.dispose();
    this.onClose({});
  }

  dispose(): void {
    this.isDisposed = true;
  }

  /** What arrives from the kernel. */
  receive(data: object, buffers: (ArrayBuffer | ArrayBufferView)[] = []): void {
    this.onMsg({ content: { data }, buffers } as unknown as KernelMessage.ICommMsgMsg);
  }
}

/** A kernel connection without a kernel: the test says what the kernel does. */
export class FakeKernel {
  name = "python3";
  status: Kernel.Status = "idle";
  connectionStatus: Kernel.ConnectionStatus = "connected";
  handleComms = true;
  supportsSubshells = false;
  isDisposed = false;
  info: Promise<unknown> = Promise.resolve({});
  readonly statusChanged = new Signal<this, Kernel.Status>(this);
  readonly disposed = new Signal<this, void>(this);
  readonly comms: FakeComm[] = [];
  /** Given to the next comm. */
  subshellStarted: Promise<void> | undefined;
  subshellId: string | null = null;
  /** Those that the kernel has. */
  subshells: string[] = [];
  readonly #targets = new Map<string, (comm: unknown, message: unknown) => void>();

  createComm(): FakeComm {
    const comm = new FakeComm();
    comm.subshellStarted = this.subshellStarted;
    comm.subshellId = this.subshellId;
    this.comms.push(comm);
    return comm;
  }

  requestListSubshell(): { done: Promise<object> } {
    return { done: Promise.resolve({ content: { status: "ok", subshell_id: this.subshells } }) };
  }

  registerCommTarget(name: string, target: (comm: unknown, message: unknown) => void): void {
    this.#targets.set(name, target);
  }

  /** The kernel opens a comm towards a view. */
  openData(view: unknown): FakeComm {
    const comm = new FakeComm();
    this.#targets.get("workbench.data")?.(comm, { content: { data: { view } } });
    return comm;
  }

  /** The kernel answers the newest view. */
  accept(): FakeComm {
    return this.openData((this.comms.at(-1)?.opened as { view: string }).view);
  }

  setStatus(status: Kernel.Status): void {
    this.status = status;
    this.statusChanged.emit(status);
  }

  get connection(): Kernel.IKernelConnection {
    return this as unknown as Kernel.IKernelConnection;
  }
}

/** A notebook's session, whose kernel may change. */
export class FakeSession {
  kernelDisplayStatus = "idle";
  readonly kernelChanged = new Signal<this, unknown>(this);
  readonly statusChanged = new Signal<this, unknown>(this);
  readonly connectionStatusChanged = new Signal<this, unknown>(this);
  readonly iopubMessage = new Signal<this, unknown>(this);

  constructor(public kernel: FakeKernel | null) {
    kernel?.statusChanged.connect((_, status) => this.statusChanged.emit(status));
  }

  get session(): { kernel: FakeKernel | null } {
    return this;
  }

  /** A cell was executed. */
  executed(): void {
    this.iopubMessage.emit({
      header: { msg_type: "status" },
      parent_header: { msg_type: "execute_request" },
      content: { execution_state: "idle" },
    });
  }

  get context(): ISessionContext {
    return this as unknown as ISessionContext;
  }
}

/** Lets everything that waits for settled promises run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) {
    await Promise.resolve();
  }
}
