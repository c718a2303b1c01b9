/** What an anywidget hands to its script, as far as it is used here. */
export interface Model {
  get(name: string): unknown;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(event: string, callback: (...given: never[]) => void): void;
  off(event: string, callback?: (...given: never[]) => void): void;
}

export interface RenderContext {
  readonly model: Model;
  readonly el: HTMLElement;
}
