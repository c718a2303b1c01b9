/** What the keyboard does on the picture; the list that ? shows is made from this. */
export interface Key {
  /** As `KeyboardEvent.key` has them. */
  readonly keys: readonly string[];
  /** As a person calls them. */
  readonly face: string;
  readonly meaning: string;
  /** Answers false to leave the key to the page. */
  readonly press: () => boolean | void;
}

/** Call what belongs to a key. Keys with Control, Meta or Alt are the browser's and JupyterLab's. */
export function connectKeys(target: HTMLElement, keys: readonly Key[], signal: AbortSignal): void {
  const byKey = new Map(keys.flatMap((key) => key.keys.map((name) => [name, key] as const)));
  target.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      const key = byKey.get(event.key);
      if (!key || key.press() === false) return;
      event.preventDefault();
      event.stopPropagation();
    },
    { signal },
  );
}
