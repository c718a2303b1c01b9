import type { Channel } from "../src/protocol/channel.js";

interface Sent {
  readonly id: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** A channel whose other side is the test. */
export class FakeChannel implements Channel {
  readonly sent: Sent[] = [];
  closed = false;
  onMessage: Channel["onMessage"] = null;
  onClose: Channel["onClose"] = null;

  send(message: object): void {
    this.sent.push(message as Sent);
  }

  close(): void {
    this.closed = true;
  }

  /** The request that was sent last. */
  get last(): Sent {
    const sent = this.sent.at(-1);
    if (!sent) throw new Error("Nothing was sent.");
    return sent;
  }

  receive(message: unknown, buffers: readonly DataView[] = []): void {
    this.onMessage?.(message as object, buffers);
  }

  answer(result: unknown, buffers: readonly DataView[] = []): void {
    this.receive({ id: this.last.id, result }, buffers);
  }
}

/** The bytes of a typed array at an odd place of a larger buffer, as messages bring them. */
export function bytesOf(array: ArrayBufferView, offset = 0): DataView {
  const whole = new Uint8Array(array.byteLength + offset);
  whole.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), offset);
  return new DataView(whole.buffer, offset, array.byteLength);
}

export function textBytes(text: string): DataView {
  return bytesOf(new TextEncoder().encode(text));
}
