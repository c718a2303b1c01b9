import type { Banner } from "./banner.js";
import type { Details } from "./details.js";
import type { Differences } from "./differences.js";
import type { Help } from "./help.js";
import type { Legend } from "./legend.js";
import type { LivePanel } from "./live-panel.js";
import type { Navigator } from "./navigator.js";
import type { Overlay } from "./overlay.js";
import type { Search } from "./search.js";
import { pictureSnapshot } from "./snapshot.js";
import type { Status } from "./status.js";
import type { StopReport } from "./stop-report.js";
import type { Tracing } from "./tracing.js";

interface Parts {
  readonly navigator: Navigator;
  readonly overlay: Overlay;
  readonly search: Search;
  readonly tracing: Tracing;
  readonly differences: Differences;
  readonly help: Help;
  readonly live: LivePanel;
  readonly legend: Legend;
  readonly details: Details;
  readonly report: StopReport;
  readonly banner: Banner;
  readonly status: Status;
  readonly against: string | null;
}

/** What a whole view shows, as plain JSON. */
export function viewSnapshot(parts: Parts) {
  const { navigator, overlay, search, live, status } = parts;
  const value = live.tap?.value ?? null;
  return {
    picture: pictureSnapshot(navigator, overlay),
    against: parts.against,
    overlay: {
      run: overlay.run,
      channel: overlay.channel,
      step: overlay.step,
      stale: overlay.isStale,
      scale: parts.legend.scaleText,
      framesASecond: overlay.framesASecond,
    },
    value:
      value === null
        ? null
        : { ...value.sample, now: [...value.values].slice(0, 64), history: [...value.history] },
    python: live.python,
    search: {
      query: search.query,
      open: search.isOpen,
      hits: search.hits.map(({ name }) => name),
    },
    trace: parts.tracing.description,
    differences: parts.differences.operations.map((index) => navigator.graph?.names[index] ?? ""),
    details: textOf(parts.details),
    report: textOf(parts.report),
    help: parts.help.isShown,
    banner: parts.banner.text,
    status: status.message,
    figures: status.figures,
    dark: navigator.dark,
  };
}

function textOf({ element }: { readonly element: HTMLElement }): string {
  return element.hidden ? "" : element.innerText;
}
