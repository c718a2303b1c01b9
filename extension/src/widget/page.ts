import type { Channel } from "../protocol/channel.js";
import type { Subscription } from "../protocol/client.js";

/** What a cell can ask the page around it to open. */
export interface Openings {
  cell: { readonly cell: string; readonly line: number };
  graph: { readonly graph: string; readonly run: string };
  run: { readonly run: string };
}

/** What a page gives to a view in a cell. */
export interface PageLink {
  readonly channel: Channel;
  /** Call back after every execution in the kernel: it may have loaded the workbench. */
  readonly onExecuted?: (listener: () => void) => Subscription;
}

/** A channel of the page's own to the notebook's kernel, null where the page has none to give. */
export function linkOfPage(element: HTMLElement): PageLink | null {
  const detail: Partial<PageLink> | { channel: null } = { channel: null };
  element.dispatchEvent(new CustomEvent("workbench-channel", { bubbles: true, detail }));
  return detail.channel ? detail : null;
}

/** Ask the page to open something; true if it does (it prevents the event's default then). */
export function openOnPage<What extends keyof Openings>(
  element: HTMLElement,
  what: What,
  detail: Openings[What],
): boolean {
  const init = { bubbles: true, cancelable: true, detail };
  return !element.dispatchEvent(new CustomEvent(`workbench-open-${what}`, init));
}

/**
 * Resolves when the element is part of the page: an output is filled before it is put there, and
 * only there can be found out which notebook it belongs to. False if the signal came first.
 */
export function attached(element: HTMLElement, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const look = () => {
      if (signal.aborted) resolve(false);
      else if (element.isConnected) resolve(true);
      else requestAnimationFrame(look);
    };
    look();
  });
}
