import type { LinkState } from "./kernel-link.js";

/** What a panel says about its way to the kernel. */
export interface LinkText {
  readonly title: string;
  readonly detail: string;
  /** Something is under way and may end well by itself. */
  readonly waiting?: boolean;
  /** The user can load the workbench from here. */
  readonly load?: boolean;
}

export const NO_NOTEBOOK: LinkText = {
  title: "No notebook",
  detail: "Open a notebook: this panel follows the one you work in.",
};

/** The text for each state; null when there is nothing to say. */
export function describeLink(state: LinkState): LinkText | null {
  switch (state.kind) {
    case "open":
      return null;
    case "no-kernel":
      return { title: "No kernel", detail: "The notebook has no kernel: start one or choose one." };
    case "starting":
      return { title: "Starting", detail: "The kernel is starting.", waiting: true };
    case "restarting":
      return { title: "Restarting", detail: "The kernel is restarting.", waiting: true };
    case "dead":
      return {
        title: "The kernel has ended",
        detail: "What it held is gone. Restart it to go on; finished runs are in their folders.",
      };
    case "disconnected":
      return {
        title: "Connection lost",
        detail: "This page does not reach the kernel at the moment, and keeps trying.",
        waiting: true,
      };
    case "unused":
    case "connecting":
      return { title: "Connecting", detail: "Asking the kernel.", waiting: true };
    case "busy":
      return {
        title: "The kernel is busy",
        detail: "It executes a cell and will answer as soon as it can.",
        waiting: true,
      };
    case "silent":
      return {
        title: "The kernel does not answer",
        detail: "It did not answer in time. Execute a cell to try again, or restart the kernel.",
      };
    case "elsewhere":
      return {
        title: "The kernel talks to another panel",
        detail:
          "A console of this page that was open before the notebook receives what this kernel " +
          "sends. Close it and reload the page.",
      };
    case "absent":
      return {
        title: "The workbench is not loaded in this kernel",
        detail: "One line in the notebook loads it:",
        load: true,
      };
    case "refused":
      return { title: "The kernel refused", detail: state.message };
  }
}
