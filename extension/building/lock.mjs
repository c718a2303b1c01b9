/**
 * Keeps the lock file free of addresses: it names versions and checksums, and who asks for funding
 * is no business of an installation. `--check` only says whether it is so.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { extension } from "./paths.mjs";

const path = join(extension, "package-lock.json");
const text = await readFile(path, "utf8");
if (process.argv.includes("--check")) {
  const lines = text.split("\n");
  const bad = lines.flatMap((line, index) => (/https?:\/\//.test(line) ? [index + 1] : []));
  if (bad.length > 0) {
    console.error(`package-lock.json names an address in line ${bad.join(", ")}: npm run lock`);
    process.exit(1);
  }
} else {
  const lock = JSON.parse(text);
  for (const entry of Object.values(lock.packages)) {
    delete entry.funding;
    delete entry.resolved;
  }
  await writeFile(path, `${JSON.stringify(lock, null, 2)}\n`);
}
