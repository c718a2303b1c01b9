import type { PoolStatus } from "../protocol/messages.js";

const IMPORT = "import workbench as wb";

/** The lines by which a notebook gets at a pool; `sources` are those of its cells. */
export function attachLines(
  { name, kind, address }: Pick<PoolStatus, "name" | "kind" | "address">,
  sources: readonly string[],
): string {
  const line =
    kind === "connected"
      ? `pool = wb.pool.connect(${JSON.stringify(address)}, keys="FOLDER OF ITS KEYS")`
      : `pool = wb.pool.attach(${JSON.stringify(name)})`;
  const imported = sources.some((source) => /^\s*import workbench as wb\b/m.test(source));
  return imported ? line : `${IMPORT}\n\n${line}`;
}
