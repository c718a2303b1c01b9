import type { NotebookPanel } from "@jupyterlab/notebook";
import { Token } from "@lumino/coreutils";

import type { Subscription } from "../protocol/client.js";
import type { KernelLink } from "./kernel-link.js";

/** The ways to the kernels of this page's notebooks. */
export interface KernelLinks {
  /** The notebook that the user works in, or worked in last; null if none is open. */
  readonly current: NotebookPanel | null;
  /** The way to a notebook's kernel: always the same one, while the notebook is open. */
  of(notebook: NotebookPanel): KernelLink;
  /** The notebook that an element of the page belongs to, such as a cell's output. */
  containing(element: Element): NotebookPanel | null;
  /** Call back whenever `current` is another one. */
  onCurrentChange(listener: () => void): Subscription;
}

export const IKernelLinks = new Token<KernelLinks>(
  "workbench:IKernelLinks",
  "The ways to the kernels of this page's notebooks, which panels share.",
);
