// Writes down which sources the built page was made from; a test compares.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

const root = import.meta.dirname;
const out = join(root, "..", "memory_core", "interfaces", "web", "static");
const single = ["index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"];
const sources = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
const hash = createHash("sha256");
for (const name of [...single, ...sources].sort()) {
  hash.update(`${name}\0`);
  hash.update(readFileSync(join(root, name)));
  hash.update("\0");
}
writeFileSync(join(out, "sources.sha256"), `${hash.digest("hex")}\n`);
const licence = readFileSync(join(root, "node_modules", "preact", "LICENSE"), "utf-8");
writeFileSync(join(out, "licences.txt"), `Part of the built page: Preact (https://preactjs.com)\n\n${licence}`);
