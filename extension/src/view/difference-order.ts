import { Status, type Graph } from "../scene/types.js";

/** Operations that differ, those of the forward part first, each part in the order of the graph. */
export function differencesOf({ status, role }: Graph): number[] {
  const found: number[] = [];
  status?.forEach((change, operation) => {
    if (change !== Status.same) found.push(operation);
  });
  return found.sort((one, other) => role[one] - role[other] || one - other);
}
