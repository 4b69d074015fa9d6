/** The markers of the C++ library: exceptions thrown, thrown again and caught, in a program that says how many. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCli } from "../support/cli.js";
import { readEvents } from "../support/events.js";
import { compile } from "../support/programs.js";

test("C++: throw, rethrow and catch", async () => {
  const folder = mkdtempSync(join(tmpdir(), "uscope-cxx-"));
  try {
    // Why a copy: everything else on the machine maps the other one.
    const library = join(folder, "libstdc++.so.6");
    const found = execFileSync("g++", ["-print-file-name=libstdc++.so.6"], { encoding: "utf8" }).trim();
    copyFileSync(found, library);
    const program = compile("throws.cc", ["-O2"]);
    const words = ["env", `LD_LIBRARY_PATH=${folder}`, program];
    const { stdout } = await runCli(["trace", `u:${library}:libstdcxx:*`, "--", ...words]);
    const events = readEvents(stdout);
    const told = (word: string): number => stdout.match(new RegExp(`^${word}$`, "gm"))?.length ?? 0;
    // Spec: `attempt` catches once and says so; `again` catches, throws again and catches.
    const attempts = told("caught too much");
    expect(attempts).toBe(2);
    const objects = (name: string): string[] =>
      events
        .filter((event) => event.name === `libstdcxx:${name}`)
        .map(({ message }) => /^object=(0x[0-9a-f]+) type=0x[0-9a-f]+$/.exec(message)?.[1] ?? message);
    expect(objects("throw").length).toBe(2 * attempts);
    expect(objects("rethrow").length).toBe(attempts);
    expect(objects("catch").length).toBe(3 * attempts);
    expect(objects("throw")).toEqual(expect.arrayContaining(objects("rethrow")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
