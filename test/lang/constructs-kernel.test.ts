import { describe, expect, it } from "vitest";
import { createMap } from "../../src/kernel/maps.js";
import { loadProgram } from "../../src/kernel/programs.js";
import { needs } from "../support/kernel.js";
import { compileConstruct, constructs } from "./constructs.js";

describe.runIf(needs("ring buffer", "attach cookie"))("the kernel's verifier", () => {
  const ways = needs("sleepable programs") ? [false, true] : [false];
  describe.each(ways)("sleepable: %s", (sleepable) => {
    it.each(constructs)("accepts $name", (construct) => {
      const { programs, maps } = compileConstruct(construct, { sleepable });
      const opened = new Map(maps.map((spec) => [spec.name, createMap(spec)]));
      try {
        for (const program of programs) {
          for (const multi of [true, false]) {
            using loaded = loadProgram(program, opened, { multi });
            expect(loaded.fd).toBeGreaterThan(0);
          }
        }
      } finally {
        for (const map of opened.values()) map[Symbol.dispose]();
      }
    });
  });
});
