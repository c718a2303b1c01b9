/** Runs every program of a folder, one after the other; fails with the first that fails. */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const [folder] = process.argv.slice(2);
for (const name of readdirSync(folder).sort()) {
  console.log(`== ${name}`);
  const { status } = spawnSync(process.execPath, ["--enable-source-maps", join(folder, name)], {
    stdio: "inherit",
  });
  if (status !== 0) {
    process.exit(status ?? 1);
  }
}
