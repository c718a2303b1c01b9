import type { Channel } from "./channel.js";
import { Code, ProtocolError } from "./errors.js";
import type { Hello, Methods, Notifications } from "./messages.js";

/** The version of docs/protocol.md that this front end speaks. */
export const PROTOCOL = 1;

/** Of so many notifications one is acknowledged: the kernel waits for a page that lags behind. */
const ACKNOWLEDGED = 8;

/** Milliseconds until a view says that the kernel is busy. */
const PATIENCE = 10_000;

export interface Answer<Result> {
  readonly result: Result;
  readonly buffers: readonly DataView[];
}

export interface RequestOptions {
  readonly buffers?: readonly ArrayBuffer[];
  /** Milliseconds. */
  readonly timeout?: number;
}

/** Ends what was begun; may be called more than once. */
export interface Subscription {
  dispose(): void;
}

type Listener = (params: never, buffers: readonly DataView[]) => void;

interface Pending {
  resolve(answer: Answer<never>): void;
  reject(error: ProtocolError): void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * A view's side of a channel: requests that are answered, refused or given up after a while, and
 * notifications. What it cannot read it ignores and counts; it never resends by itself.
 *
 *     const client = new Client(channel);
 *     const { result } = await client.request("runs.list", {});
 *     const subscription = client.on("run.update", (update, buffers) => ...);
 */
export class Client {
  /** Messages that were malformed, unknown, or answers that came too late. */
  ignored = 0;
  #closed = false;
  #nextId = 1;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #closeListeners = new Set<() => void>();

  constructor(private readonly channel: Channel) {
    channel.onMessage = (message, buffers) => this.#receive(message, buffers);
    channel.onClose = () => this.#close();
  }

  /** True once the kernel is gone or this client was disposed of. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Ask the kernel. Fails with a ProtocolError: refused, busy (no answer in time) or closed. */
  request<Method extends keyof Methods>(
    method: Method,
    params: Methods[Method]["params"],
    { buffers = [], timeout = PATIENCE }: RequestOptions = {},
  ): Promise<Answer<Methods[Method]["result"]>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closedError());
      const id = this.#nextId++;
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        const seconds = Math.round(timeout / 100) / 10;
        reject(
          new ProtocolError(
            Code.busy,
            `The kernel is busy: it has not answered "${method}" for ${seconds} s.`,
          ),
        );
      }, timeout);
      this.#pending.set(id, { resolve, reject, timer });
      try {
        this.channel.send({ id, method, params }, buffers);
      } catch (error) {
        clearTimeout(timer);
        this.#pending.delete(id);
        reject(new ProtocolError(Code.closed, `"${method}" could not be sent: ${String(error)}`));
      }
    });
  }

  /** Call back for every notification of a kind, until the subscription is disposed of. */
  on<Method extends keyof Notifications>(
    method: Method,
    callback: (params: Notifications[Method], buffers: readonly DataView[]) => void,
  ): Subscription {
    const listeners = this.#listeners.get(method) ?? new Set();
    this.#listeners.set(method, listeners);
    // Wrapped, so that one function can be registered twice and removed once.
    const listener: Listener = (params, buffers) => callback(params, buffers);
    listeners.add(listener);
    return { dispose: () => void listeners.delete(listener) };
  }

  /** Who the kernel is and what it has; refuses a kernel that speaks another protocol. */
  async hello(): Promise<Hello> {
    const { result } = await this.request("hello", {});
    if (result.protocol !== PROTOCOL) {
      throw new ProtocolError(
        Code.unreadable,
        `The kernel's workbench ${result.version} speaks protocol ${result.protocol}, ` +
          `this page protocol ${PROTOCOL}: install the same version in both and reload the page.`,
      );
    }
    return result;
  }

  /** Call back once when the kernel is gone (at once if it is), not when this client is disposed of. */
  onClose(callback: () => void): Subscription {
    let active = true;
    const once = () => {
      if (active) callback();
      active = false;
    };
    if (this.#closed) queueMicrotask(once);
    else this.#closeListeners.add(once);
    return {
      dispose: () => {
        active = false;
        this.#closeListeners.delete(once);
      },
    };
  }

  /** Close the channel. What is still pending fails. */
  dispose(): void {
    if (this.#closed) return;
    this.#closeListeners.clear();
    this.#close();
    this.channel.close();
  }

  #receive(message: unknown, buffers: readonly DataView[]): void {
    if (this.#closed) return;
    if (!isRecord(message)) this.ignored++;
    else if ("id" in message) this.#settle(message, buffers);
    else this.#notify(message, buffers);
  }

  #settle({ id, result, error }: Record<string, unknown>, buffers: readonly DataView[]): void {
    const pending = typeof id === "number" ? this.#pending.get(id) : undefined;
    if (!pending || (!isRecord(result) && !isRecord(error))) {
      this.ignored++;
      return;
    }
    this.#pending.delete(id as number);
    clearTimeout(pending.timer);
    if (isRecord(error)) {
      const code = typeof error["code"] === "number" ? error["code"] : Code.failedInside;
      pending.reject(
        new ProtocolError(
          code,
          typeof error["message"] === "string" ? error["message"] : "The kernel refused.",
        ),
      );
    } else {
      pending.resolve({ result: result as never, buffers });
    }
  }

  #notify(message: Record<string, unknown>, buffers: readonly DataView[]): void {
    const { method, params, sequence } = message;
    if (typeof sequence === "number" && (sequence === 1 || sequence % ACKNOWLEDGED === 0)) {
      this.request("received", { sequence }).catch(() => undefined);
    }
    const listeners = typeof method === "string" ? this.#listeners.get(method) : undefined;
    if (!listeners || !isRecord(params)) {
      this.ignored++;
      return;
    }
    for (const listener of [...listeners]) {
      try {
        listener(params as never, buffers);
      } catch (error) {
        // One view's trouble must not keep the news from the others.
        console.error(`workbench: "${String(method)}" could not be shown`, error);
      }
    }
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      pending.reject(closedError());
    }
    this.#pending.clear();
    this.#listeners.clear();
    const listeners = [...this.#closeListeners];
    this.#closeListeners.clear();
    for (const listener of listeners) listener();
  }
}

function closedError(): ProtocolError {
  return new ProtocolError(Code.closed, "The connection to the kernel is closed.");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
