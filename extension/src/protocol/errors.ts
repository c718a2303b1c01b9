/** The codes of docs/protocol.md, and below them those that a view gives itself. */
export const Code = {
  notAnObject: -32700,
  noRequest: -32600,
  unknownMethod: -32601,
  badParameters: -32602,
  failedInside: -32603,
  ended: -32001,
  stale: -32002,
  /** No answer in time. */
  busy: 1,
  /** The other side is gone. */
  closed: 2,
  /** The kernel sent what this view cannot read. */
  unreadable: 3,
} as const;

/** What went wrong with a request, in words for a person. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";

  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }

  /** No answer in time: the kernel may still do what it was asked for. */
  get isBusy(): boolean {
    return this.code === Code.busy;
  }

  /** Nobody answered, whatever the reason. */
  get isSilence(): boolean {
    return this.code === Code.busy || this.code === Code.closed;
  }
}

/** The text to show for anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
