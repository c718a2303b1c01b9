/**
 * The views in notebook cells, as an anywidget: `kind` says which ("graph", "run" or "runs"), `key`
 * of what, `options` how.
 */
import { Client } from "../protocol/client.js";
import { CellView } from "./cell-view.js";
import type { Model, RenderContext } from "./model.js";
import { ModelChannel } from "./model-channel.js";

/** Called once for each widget; its views share the widget's one line to the kernel. */
export default function makeWidget() {
  let lasting: Model | null = null;
  let client: Client | null = null;

  return {
    /** This model lasts as long as the widget, those of views only as long as the views. */
    initialize({ model }: { model: Model }): () => void {
      lasting = model;
      return () => {
        client?.dispose();
        client = null;
      };
    },

    render({ model, el }: RenderContext): () => void {
      const ownClient = () => {
        if (client === null || client.closed)
          client = new Client(new ModelChannel(lasting ?? model));
        return client;
      };
      const view = new CellView(el, model, ownClient);
      return () => view.dispose();
    },
  };
}
