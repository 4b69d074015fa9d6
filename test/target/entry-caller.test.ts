import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { parse } from "../../src/lang/compile.js";
import { findCallerRules } from "../../src/target/entry-caller.js";
import { TargetResolver } from "../../src/target/resolve.js";
import { onX86 } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const isX86 = onX86();

describe.runIf(isX86)("who called, in a stack at an entry", () => {
  const entries = isX86 ? compile("entries.c", ["-O1", "-fno-omit-frame-pointer"]) : "";

  /** By objdump: the first byte of each function that a probe stands on. */
  function firstByteOf(name: string): string {
    const listing = execFileSync("objdump", ["-d", `--disassemble=${name}`, entries], { encoding: "utf8" });
    return new RegExp(`<${name}>:\\n\\s*[0-9a-f]+:\\s*([0-9a-f]{2})`).exec(listing)![1]!;
  }

  it("is told by the kernel from 6.12 on where the function begins with push %rbp, and never by older ones", async () => {
    using resolver = new TargetResolver({ pids: [] });
    const { sites } = await resolver.resolveSites(parse(`${entries}:begins_with_*`).tree.selector);
    const others = sites.filter(({ names }) => names[0] !== "begins_with_endbr64");
    const rules = findCallerRules(others, { major: 6, minor: 12 });
    expect(rules).toEqual(
      others.map(({ names }) => (firstByteOf(names[0]!) === "55" ? "complete" : "missing")),
    );
    expect(new Set(rules).size).toBe(2);
    expect(new Set(findCallerRules(sites, { major: 6, minor: 11 }))).toEqual(new Set(["missing"]));
    expect(new Set(findCallerRules(sites, { major: 5, minor: 15 }))).toEqual(new Set(["missing"]));
  });

  it("is in a frame inside functions and at returns", async () => {
    using resolver = new TargetResolver({ pids: [] });
    for (const probe of [`${entries}:begins_with_push+4`, `r:${entries}:begins_with_push`]) {
      const { sites } = await resolver.resolveSites(parse(probe).tree.selector);
      expect(findCallerRules(sites, { major: 5, minor: 15 })).toEqual(["complete"]);
    }
  });
});
