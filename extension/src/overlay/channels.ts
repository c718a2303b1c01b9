import type { OverlayChannel } from "../protocol/messages.js";

/** What can be shown live: what the kernel measures, and the device, which the graph itself knows. */
export type ChannelName = OverlayChannel | "device";

export type Unit = "seconds" | "bytes" | "count" | "share" | "number";

export interface Channel {
  readonly name: ChannelName;
  readonly title: string;
  readonly unit: Unit;
  /** How the values of several operations become one. */
  readonly combine: "sum" | "mean" | "worst";
  readonly scale: "logarithmic" | "linear" | "diverging" | "alarm";
  /** What the legend says about the value of a scope. */
  readonly explanation: string;
}

/** In the order of the menu. The device is not measured, so it has no unit and no scale. */
export const CHANNELS: readonly Channel[] = [
  {
    name: "time",
    title: "Time",
    unit: "seconds",
    combine: "sum",
    scale: "logarithmic",
    explanation: "seconds a step; scopes: sum",
  },
  {
    name: "memory",
    title: "Memory",
    unit: "bytes",
    combine: "sum",
    scale: "logarithmic",
    explanation: "bytes of results; scopes: sum",
  },
  {
    name: "calls",
    title: "Calls",
    unit: "count",
    combine: "sum",
    scale: "logarithmic",
    explanation: "calls a step; scopes: sum",
  },
  {
    name: "mean",
    title: "Mean",
    unit: "number",
    combine: "mean",
    scale: "diverging",
    explanation: "mean of the values; scopes: weighted by size",
  },
  {
    name: "deviation",
    title: "Deviation",
    unit: "number",
    combine: "mean",
    scale: "logarithmic",
    explanation: "standard deviation of the values; scopes: weighted by size",
  },
  {
    name: "zeros",
    title: "Zeros",
    unit: "share",
    combine: "mean",
    scale: "linear",
    explanation: "share of zeros; scopes: weighted by size",
  },
  {
    name: "nonfinite",
    title: "Not finite",
    unit: "count",
    combine: "worst",
    scale: "alarm",
    explanation: "NaN and infinite values; scopes: the worst",
  },
];

export function channelNamed(name: ChannelName): Channel | null {
  return CHANNELS.find((channel) => channel.name === name) ?? null;
}
