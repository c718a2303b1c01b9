import type { Channel } from "../protocol/channel.js";
import type { Model } from "./model.js";

/** The custom messages of a widget's model as a channel: works in every front end of Jupyter. */
export class ModelChannel implements Channel {
  onMessage: Channel["onMessage"] = null;
  onClose: Channel["onClose"] = null;
  #closed = false;
  readonly #receive = (message: object, buffers: readonly DataView[] = []) => {
    this.onMessage?.(message, buffers.map(asView));
  };
  /** JupyterLab tells it when a kernel restarts or ends; other front ends say nothing. */
  readonly #lost = () => {
    if (this.#closed) return;
    this.close();
    this.onClose?.();
  };

  constructor(private readonly model: Model) {
    model.on("msg:custom", this.#receive);
    model.on("comm_live_update", this.#lost);
    model.on("destroy", this.#lost);
  }

  send(message: object, buffers: readonly ArrayBuffer[] = []): void {
    if (this.#closed) throw new Error("this widget's connection is closed");
    this.model.send(message, undefined, [...buffers]);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.model.off("msg:custom", this.#receive);
    this.model.off("comm_live_update", this.#lost);
    this.model.off("destroy", this.#lost);
  }
}

/** Front ends differ in what they hand on: views, arrays or bare buffers. */
function asView(buffer: DataView | ArrayBuffer | ArrayBufferView): DataView {
  if (buffer instanceof DataView) return buffer;
  if (buffer instanceof ArrayBuffer) return new DataView(buffer);
  return new DataView(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.byteLength);
}
