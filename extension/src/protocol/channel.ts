/** Something that carries JSON objects with binary buffers, both ways. See docs/protocol.md. */
export interface Channel {
  send(message: object, buffers?: readonly ArrayBuffer[]): void;
  /** Called for every message, with buffers of its own. */
  onMessage: ((message: object, buffers: readonly DataView[]) => void) | null;
  /** Called once when the other side is gone; nothing can be sent after it. */
  onClose: (() => void) | null;
  close(): void;
}
