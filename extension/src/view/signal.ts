/** Tells those who asked when something has happened. */
export class Signal<Value = void> {
  readonly #callbacks = new Set<(value: Value) => void>();

  /** Call back each time, until the answer is called. */
  connect(callback: (value: Value) => void): () => void {
    const once = (value: Value): void => callback(value);
    this.#callbacks.add(once);
    return () => void this.#callbacks.delete(once);
  }

  emit(value: Value): void {
    for (const callback of [...this.#callbacks]) callback(value);
  }

  clear(): void {
    this.#callbacks.clear();
  }
}
