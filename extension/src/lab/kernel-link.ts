import type { ISessionContext } from "@jupyterlab/apputils";
import type { Kernel, KernelMessage } from "@jupyterlab/services";

import { Client, type Subscription } from "../protocol/client.js";
import { messageOf, ProtocolError } from "../protocol/errors.js";
import type { Hello } from "../protocol/messages.js";
import { CommChannel, type CloseReason } from "./comm-channel.js";
import type { DataComms } from "./data-comms.js";

/** Milliseconds after which a kernel that has not answered is called busy. */
const PATIENCE = 3_000;

/** What is true of the way from this page to a notebook's kernel. */
export type LinkState =
  | { readonly kind: "no-kernel" | "starting" | "restarting" | "dead" | "disconnected" }
  | { readonly kind: "unused" | "connecting" | "busy" | "absent" | "elsewhere" | "silent" }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "open"; readonly client: Client; readonly hello: Hello };

interface Attempt {
  readonly client: Client;
  readonly timer: ReturnType<typeof setTimeout>;
  opened: boolean;
}

/** What a kernel says of itself after a restart. */
const NEW_LIFE: readonly Kernel.Status[] = ["starting", "idle"];

/** States that an execution in the kernel may have changed. */
const CURABLE: readonly LinkState["kind"][] = ["absent", "silent", "refused"];

/**
 * The way from this page to one notebook's kernel, whichever kernel that is at the moment: shared by
 * all panels that follow the notebook. It connects while somebody uses it, and again after restarts,
 * changes of kernel, and executions that may have loaded the workbench.
 */
export class KernelLink {
  #state: LinkState = { kind: "no-kernel" };
  #users = 0;
  #disposed = false;
  /** From the first word of a restart until the page is connected to the new life and hears it. */
  #restarting: "begun" | "cut" | null = null;
  /** What the newest attempt holds; an older attempt that is still under way gives up. */
  #attempt: Attempt | null = null;
  readonly #listeners = new Set<() => void>();
  readonly #executed = new Set<() => void>();

  constructor(
    readonly session: ISessionContext,
    private readonly dataComms: DataComms,
  ) {
    session.kernelChanged.connect(this.#kernelChanged);
    session.statusChanged.connect(this.#statusChanged);
    session.connectionStatusChanged.connect(this.#statusChanged);
    session.iopubMessage.connect(this.#messageSeen);
    this.#listen();
    this.#update();
  }

  get state(): LinkState {
    return this.#state;
  }

  /** What to ask the kernel with, null while it cannot be asked. */
  get client(): Client | null {
    return this.#state.kind === "open" ? this.#state.client : null;
  }

  /** Call back after every change of state. */
  onChange(listener: () => void): Subscription {
    const once = () => listener();
    this.#listeners.add(once);
    return { dispose: () => void this.#listeners.delete(once) };
  }

  /** Call back after every execution: it may have loaded the workbench. */
  onExecuted(listener: () => void): Subscription {
    const once = () => listener();
    this.#executed.add(once);
    return { dispose: () => void this.#executed.delete(once) };
  }

  /** Stay connected until the result is disposed of. */
  use(): Subscription {
    this.#users++;
    this.#update();
    let active = true;
    return {
      dispose: () => {
        this.#users -= active ? 1 : 0;
        active = false;
        if (this.#users === 0) {
          this.#disconnect();
          this.#update();
        }
      },
    };
  }

  /** A channel of a view's own, null without a kernel. */
  channel(): CommChannel | null {
    const kernel = this.#kernel;
    return kernel ? new CommChannel(kernel, this.dataComms) : null;
  }

  dispose(): void {
    if (this.#disposed) {
      return;
    }
    this.#disposed = true;
    this.session.kernelChanged.disconnect(this.#kernelChanged);
    this.session.statusChanged.disconnect(this.#statusChanged);
    this.session.connectionStatusChanged.disconnect(this.#statusChanged);
    this.session.iopubMessage.disconnect(this.#messageSeen);
    this.#disconnect();
    this.#setState({ kind: "no-kernel" });
    this.#listeners.clear();
    this.#executed.clear();
  }

  get #kernel(): Kernel.IKernelConnection | null {
    const kernel = this.session.session?.kernel ?? null;
    return kernel?.isDisposed ? null : kernel;
  }

  readonly #kernelChanged = (): void => {
    this.#restarting = null;
    this.#disconnect();
    this.#listen();
    this.#update();
  };

  readonly #statusChanged = (): void => {
    this.#followRestart();
    this.#update();
  };

  /** The old life still reports on itself after the restart has begun, and must not be asked. */
  #followRestart(): void {
    const kernel = this.#kernel;
    if (kernel?.status === "restarting" || kernel?.status === "autorestarting") {
      this.#restarting = "begun";
    } else if (this.#restarting && kernel?.connectionStatus !== "connected") {
      this.#restarting = "cut";
    } else if (this.#restarting === "cut" && kernel && NEW_LIFE.includes(kernel.status)) {
      this.#restarting = null;
    }
  }

  readonly #messageSeen = (_: unknown, message: KernelMessage.IMessage): void => {
    if (message.header.msg_type !== "status") {
      return;
    }
    const { execution_state } = message.content as { execution_state?: string };
    const parent = message.parent_header as { msg_type?: string };
    if (execution_state !== "idle" || parent.msg_type !== "execute_request") {
      return;
    }
    if (CURABLE.includes(this.#state.kind)) {
      this.#disconnect();
      this.#update();
    }
    for (const listener of [...this.#executed]) {
      listener();
    }
  };

  #listen(): void {
    const kernel = this.#kernel;
    if (kernel?.handleComms) {
      this.dataComms.listen(kernel);
    }
  }

  /** Brings the state in line with the kernel, and connects if it is time to. */
  #update(): void {
    if (this.#disposed) {
      return;
    }
    const known = obstacleOf(this.session, this.#kernel);
    const obstacle = this.#restarting && known !== "dead" ? "restarting" : known;
    if (obstacle) {
      // A connection that is only interrupted carries on with what it has.
      if (obstacle !== "disconnected") {
        this.#disconnect();
      }
      this.#setState({ kind: obstacle });
      return;
    }
    const attempt = this.#attempt;
    if (!attempt && this.#users > 0) {
      void this.#connect();
    } else if (!attempt) {
      this.#setState({ kind: "unused" });
    } else if (this.#state.kind === "disconnected") {
      // It is back: what was open is still open, and what happened meanwhile may be lost.
      this.#setState({ kind: "connecting" });
      if (attempt.opened) {
        void this.#greet(attempt);
      }
    }
  }

  async #connect(): Promise<void> {
    const channel = this.channel();
    if (!channel) {
      return;
    }
    const client = new Client(channel);
    const timer = setTimeout(() => this.#sayBusy(attempt), PATIENCE);
    const attempt: Attempt = { client, timer, opened: false };
    this.#attempt = attempt;
    // While it is tried again, what was wrong is still what is known.
    if (!CURABLE.includes(this.#state.kind)) {
      this.#setState({ kind: "connecting" });
    }
    const reason = await channel.opened;
    clearTimeout(timer);
    if (this.#attempt !== attempt) {
      return;
    }
    if (reason === null) {
      attempt.opened = true;
      client.onClose(() => this.#lost(attempt));
      await this.#greet(attempt);
    } else {
      this.#failed(reason);
    }
  }

  async #greet(attempt: Attempt): Promise<void> {
    try {
      const hello = await attempt.client.hello();
      if (this.#attempt === attempt) {
        this.#setState({ kind: "open", client: attempt.client, hello });
      }
    } catch (error) {
      if (this.#attempt === attempt && !attempt.client.closed) {
        const busy = error instanceof ProtocolError && error.isBusy;
        this.#setState(busy ? { kind: "silent" } : { kind: "refused", message: messageOf(error) });
      }
    }
  }

  #sayBusy(attempt: Attempt): void {
    if (this.#attempt === attempt && this.#state.kind === "connecting") {
      this.#setState({ kind: "busy" });
    }
  }

  /** The kernel closed an open channel: it restarts, ends, or unloaded the workbench. */
  #lost(attempt: Attempt): void {
    if (this.#attempt === attempt) {
      this.#attempt = null;
      this.#failed("gone");
    }
  }

  #failed(reason: CloseReason): void {
    if (reason === "absent" || reason === "elsewhere" || reason === "silent") {
      this.#setState({ kind: reason });
      return;
    }
    this.#attempt = null;
    const obstacle = obstacleOf(this.session, this.#kernel);
    this.#setState({ kind: obstacle ?? "absent" });
  }

  #disconnect(): void {
    const attempt = this.#attempt;
    this.#attempt = null;
    if (attempt) {
      clearTimeout(attempt.timer);
      attempt.client.dispose();
    }
  }

  #setState(state: LinkState): void {
    if (state.kind === this.#state.kind && state.kind !== "open" && state.kind !== "refused") {
      return;
    }
    this.#state = state;
    for (const listener of [...this.#listeners]) {
      listener();
    }
  }
}

type Obstacle = "no-kernel" | "starting" | "restarting" | "dead" | "disconnected";

/** Why a kernel cannot be asked anything, null if it can. */
export function obstacleOf(
  session: Pick<ISessionContext, "kernelDisplayStatus">,
  kernel: Pick<Kernel.IKernelConnection, "status" | "connectionStatus"> | null,
): Obstacle | null {
  if (!kernel) {
    const coming = ["initializing", "connecting", "starting"];
    return coming.includes(session.kernelDisplayStatus) ? "starting" : "no-kernel";
  }
  switch (kernel.status) {
    case "dead":
    case "terminating":
      return "dead";
    case "restarting":
    case "autorestarting":
      return "restarting";
    case "starting":
      return "starting";
    case "unknown": // nothing was heard since the page was loaded: it may execute something
    case "idle":
    case "busy":
      return kernel.connectionStatus === "connected" ? null : "disconnected";
  }
}
