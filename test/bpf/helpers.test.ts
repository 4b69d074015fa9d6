import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { assemble } from "../../src/bpf/assemble.js";
import { call, exit } from "../../src/bpf/build.js";
import { encode } from "../../src/bpf/encode.js";
import { findHelperName, helpers } from "../../src/bpf/helpers.js";
import type { Helper, HelperName } from "../../src/bpf/helpers.js";
import { askVerifier, kernelSince, canAskKernel } from "../support/bpf-object.js";

const table = Object.entries(helpers) as [HelperName, Helper][];

describe("helpers", () => {
  test("have the numbers of linux/bpf.h", () => {
    const header = readFileSync("/usr/include/linux/bpf.h", "utf8");
    const [, list = ""] = /#define _+BPF_FUNC_MAPPER\(FN[^)]*\)\s*((?:.*\\\n)+)/.exec(header) ?? [];
    // Two forms of the list: FN(name) counts from zero, FN(name, number, ...) says it.
    const numbered = [...list.matchAll(/FN\((\w+)(?:, (\d+))?/g)].map(
      ([, name, number], index) => [name, Number(number ?? index)] as const,
    );
    const ids = new Map(numbered);
    expect(ids.get("map_lookup_elem")).toBe(1);
    for (const [name, { id }] of table)
      expect([name, id]).toEqual([name, ids.get(name) ?? "not in this header"]);
  });

  test("are found by number", () => {
    expect(findHelperName(112)).toBe("bpf_probe_read_user");
    expect(findHelperName(9999)).toBeUndefined();
  });

  // A call without arguments is refused for its arguments only when the helper itself may be called.
  const forbidden = /cannot use helper|unknown func|invalid func|might sleep|sleepable/;
  test.runIf(canAskKernel()).each(table.filter(([, { since }]) => kernelSince(since)))(
    "%s may be called where the table says",
    (name, { allowed }) => {
      const code = encode(assemble([call(name), exit()]).instructions);
      const plain = askVerifier(code, "uprobe").log;
      const sleepable = askVerifier(code, "uprobe.s").log;
      expect(forbidden.test(plain), plain).toBe(allowed === "sleepable-only");
      // What is "not-sleepable" fails by its map, which this call does not have.
      if (allowed !== "not-sleepable") expect(forbidden.test(sleepable), sleepable).toBe(false);
    },
  );
});
