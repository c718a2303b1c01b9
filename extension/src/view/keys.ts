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

/** What has keys of its own. */
const WRITING = "input, select, textarea, [role=tree]";
const PRESSED = "button, a";

/** Call what belongs to a key. Keys with Control, Meta or Alt are the browser's and JupyterLab's. */
export function connectKeys(target: HTMLElement, keys: readonly Key[], signal: AbortSignal): void {
  const byKey = new Map(keys.flatMap((key) => key.keys.map((name) => [name, key] as const)));
  target.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      const { target: at } = event;
      if (!(at instanceof Element) || at.closest(WRITING)) return;
      if (event.key === "Enter" && at.closest(PRESSED)) return;
      const key = byKey.get(event.key);
      if (!key || key.press() === false) return;
      event.preventDefault();
      event.stopPropagation();
    },
    { signal },
  );
}
