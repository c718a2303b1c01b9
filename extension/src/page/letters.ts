import type { Subscription } from "../protocol/client.js";

/** Where it stands on the element that has the keyboard, JupyterLab's shortcuts do not apply. */
const SUPPRESSED = "data-lm-suppress-shortcuts";

/**
 * Keep keys that are pressed in a view from JupyterLab, which takes single letters for commands of
 * its cells: "dd" on a button would delete the cell. Ctrl+S and the like stay what they are
 * everywhere.
 *
 * The attribute counts from the element with the keyboard upwards, and only up to the first that a
 * shortcut is meant for: on the view itself it would come too late. JupyterLab listens on the
 * document, so only the window hears of a key before it.
 */
export function keepLetters(root: HTMLElement): Subscription {
  const decide = (event: KeyboardEvent): void => {
    const { target } = event;
    if (!(target instanceof HTMLElement) || !root.contains(target)) return;
    if (event.ctrlKey || event.metaKey || event.altKey) target.removeAttribute(SUPPRESSED);
    else target.setAttribute(SUPPRESSED, "true");
  };
  window.addEventListener("keydown", decide, { capture: true });
  return { dispose: () => window.removeEventListener("keydown", decide, { capture: true }) };
}
