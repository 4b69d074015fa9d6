/**
 * Owns what the benchmark traces: a private folder with the yardstick (loop.c) and a copy of node, removed at the end.
 * Does not own tracing them. Nothing else on the machine runs these files, so probes on them reach nobody else.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assert } from "../src/base/assert.js";
import { bytesSource } from "../src/base/bytes.js";
import type { FileOffset } from "../src/base/bytes.js";
import { fileOffsetOf } from "../src/elf/address.js";
import { readElf } from "../src/elf/file.js";
import { readFunctionTable } from "../src/elf/symbols.js";
import { run } from "./processes.js";

/** Functions of loop.c by what their first instruction is. */
export type Site = "f" | "g" | "h" | "p";

export const uscope: readonly [string, string] = [
  process.execPath,
  fileURLToPath(new URL("../bin/uscope", import.meta.url)),
];

export class Workplace {
  readonly folder: string;
  readonly loop: string;
  #node: string | undefined;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "uscope-bench-"));
    process.on("exit", () => rmSync(this.folder, { recursive: true, force: true }));
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(signal, () => process.exit(130));
    this.loop = join(this.folder, "loop");
    const source = fileURLToPath(new URL("loop.c", import.meta.url));
    execFileSync("gcc", ["-O2", "-o", this.loop, source], { stdio: "inherit" });
  }

  /** A copy of the node that runs this. */
  get node(): string {
    if (this.#node === undefined) {
      this.#node = join(this.folder, "node");
      copyFileSync(process.execPath, this.#node);
    }
    return this.#node;
  }

  /** Where a function of the loop begins in its file. */
  offsetOf(site: Site): FileOffset {
    const elf = readElf(bytesSource(this.loop, readFileSync(this.loop)));
    const [found] = readFunctionTable(elf).find(site);
    const offset = found === undefined ? undefined : fileOffsetOf(elf, found.address);
    assert(offset !== undefined, `no function ${site} in the loop`);
    return offset;
  }

  /** Calls a function of the loop that often; returns nanoseconds per call. */
  async call(site: Site, calls: number): Promise<number> {
    return readCost((await run(this.loop, [String(calls), site])).stdout);
  }
}

/** Reads what the loop prints of itself: nanoseconds per call. */
export function readCost(text: string): number {
  const cost = /([\d.]+) ns\/call/.exec(text)?.[1];
  assert(cost !== undefined, `the loop's line is missing: ${text.slice(-200)}`);
  return Number(cost);
}
