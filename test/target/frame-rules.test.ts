/** Holds the frame's place at every instruction of whole files against readelf, which interprets the same table. */
import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { VirtualAddress } from "../../src/base/bytes.js";
import { openBinary } from "../../src/target/binary.js";
import { findFramePlace } from "../../src/target/frame-rules.js";
import { UnwindTable } from "../../src/target/unwind-table.js";
import { requires } from "../support/kernel.js";
import { compile } from "../support/programs.js";

/** As readelf calls them; of others (r10 of a stack that is aligned anew, expressions) there is no place. */
const registers: Readonly<Record<string, string>> = { rsp: "sp", rbp: "bp", sp: "sp", x29: "x29", x31: "sp" };

interface Row {
  readonly start: number;
  readonly end: number;
  readonly cfa: string;
}

/** Where each rule begins and ends to hold. */
function readRows(path: string): Row[] {
  const text = execFileSync("readelf", ["--debug-dump=frames-interp", path], {
    encoding: "utf8",
    maxBuffer: 1 << 29,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return text.split("\n\n").flatMap((block) => {
    const end = / FDE .*pc=[0-9a-f]+\.\.([0-9a-f]+)/.exec(block)?.[1];
    if (end === undefined) return [];
    const rows = [...block.matchAll(/^([0-9a-f]{16}) (\S+)/gm)].map(([, start, cfa]) => ({
      start: Number.parseInt(start!, 16),
      cfa: cfa!,
    }));
    return rows.map(({ start, cfa }, index) => ({
      start,
      cfa,
      end: rows[index + 1]?.start ?? Number.parseInt(end, 16),
    }));
  });
}

const python = "/usr/bin/python3.11";
describe.runIf(requires("readelf", python))("the frame's place", () => {
  test.each([compile("paired.c", ["-O2", "-pthread"]), realpathSync(process.execPath), python])(
    "in %s",
    (path) => {
      using binary = openBinary(path, path);
      const table = new UnwindTable(binary.elf);
      const rows = readRows(path).filter(({ start, end }) => end > start);
      // Why not all of a large file: reading each entry anew takes its time.
      const step = Math.max(1, Math.floor(rows.length / 5000));
      let found = 0;
      for (let index = 0; index < rows.length; index += step) {
        const { start, end, cfa } = rows[index]!;
        for (const address of new Set([start, end - 1])) {
          const entry = table.find(address as VirtualAddress);
          const place = entry && findFramePlace(entry, address as VirtualAddress, binary.elf.machine);
          const [, register = "", distance] = /^(\w+)\+(\d+)$/.exec(cfa) ?? [];
          const expected = registers[register] && {
            register: registers[register],
            distance: BigInt(distance!),
          };
          expect(place, `${address.toString(16)}: ${cfa}`).toEqual(expected);
          if (place !== undefined) found++;
        }
      }
      expect(found).toBeGreaterThan(20);
    },
  );
});
