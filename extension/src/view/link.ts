import type { Answer, Client, Subscription } from "../protocol/client.js";
import type { Methods, Notifications } from "../protocol/messages.js";
import { Signal } from "./signal.js";

/** What a view needs of a client. */
export type GraphClient = Pick<Client, "request" | "on" | "onClose">;

/**
 * The kernel as a view sees it: the same for the view's whole life, while clients come and go with
 * channels. What was listened to before is listened to on the next client too.
 */
export class Link {
  /** The kernel can no longer be reached. */
  readonly lost = new Signal();
  #client: GraphClient;
  #closing: Subscription | null = null;
  #isLost = false;
  readonly #listeners = new Set<Listener>();

  constructor(client: GraphClient) {
    this.#client = client;
    this.connect(client);
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Use another client from now on. */
  connect(client: GraphClient): void {
    this.#closing?.dispose();
    this.#client = client;
    this.#isLost = false;
    this.#closing = client.onClose(() => {
      this.#isLost = true;
      this.lost.emit();
    });
    for (const listener of this.#listeners) listener.attach(client);
  }

  request<Method extends keyof Methods>(
    method: Method,
    params: Methods[Method]["params"],
  ): Promise<Answer<Methods[Method]["result"]>> {
    return this.#client.request(method, params);
  }

  on<Method extends keyof Notifications>(
    method: Method,
    callback: (params: Notifications[Method], buffers: readonly DataView[]) => void,
  ): void {
    const listener = new Listener((client) => client.on(method, callback));
    this.#listeners.add(listener);
    listener.attach(this.#client);
  }

  dispose(): void {
    this.#closing?.dispose();
    for (const listener of this.#listeners) listener.detach();
    this.#listeners.clear();
    this.lost.clear();
  }
}

class Listener {
  #subscription: Subscription | null = null;

  constructor(private readonly subscribe: (client: GraphClient) => Subscription) {}

  attach(client: GraphClient): void {
    this.detach();
    this.#subscription = this.subscribe(client);
  }

  detach(): void {
    this.#subscription?.dispose();
    this.#subscription = null;
  }
}
