/** Owns the C programs that tests trace: compiles each once per content and flags. Does not start them. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../programs/", import.meta.url));

/** Compiles test/programs/NAME with the flags and returns the binary's path; .cc files are C++. */
export function compile(name: string, flags: readonly string[] = ["-O2"]): string {
  const source = join(folder, name);
  const digest = createHash("sha256")
    .update(readFileSync(source))
    .update(JSON.stringify(flags))
    .digest("hex")
    .slice(0, 12);
  const output = join(folder, "out", `${name.replace(/\.\w+$/, "")}-${digest}`);
  if (!existsSync(output)) {
    mkdirSync(join(folder, "out"), { recursive: true });
    const building = `${output}.${process.pid}`;
    execFileSync(name.endsWith(".cc") ? "g++" : "gcc", ["-o", building, source, ...flags], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    renameSync(building, output);
  }
  return output;
}
