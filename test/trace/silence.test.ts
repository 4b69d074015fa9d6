/** Why a probe had no hit: of a command, and of files that share an inode number on two devices. */
import { describe, expect, test } from "vitest";
import { openBinary } from "../../src/target/binary.js";
import type { Binary } from "../../src/target/binary.js";
import { explainSilence } from "../../src/trace/silence.js";

const runs = { isCommand: false, isWithChildren: false };

describe("of a command", () => {
  test("recommends --children only where they were not traced", () => {
    using binary = openBinary(process.execPath);
    expect(
      explainSilence({ binaries: [binary], symbol: undefined, isReturn: false }, [], {
        isCommand: true,
        isWithChildren: false,
      })[0],
    ).toContain("--children");
    const [reason] = explainSilence({ binaries: [binary], symbol: undefined, isReturn: false }, [], {
      isCommand: true,
      isWithChildren: true,
    });
    expect(reason).toMatch(/neither the command nor its children/);
    expect(reason).not.toContain("--children");
  });
});

describe("of a process", () => {
  test("says that it maps the file, by its number on its device", () => {
    using binary = openBinary(process.execPath);
    expect(
      explainSilence({ binaries: [binary], symbol: undefined, isReturn: false }, [process.pid], runs)[0],
    ).toMatch(/^the process maps /);
  });

  test("does not take a file of another device for it", () => {
    using binary = openBinary(process.execPath);
    const other: Binary = Object.create(binary, {
      device: { value: 0xfe_7fn },
      path: { value: "/other" },
      inode: { value: binary.inode },
    });
    expect(
      explainSilence({ binaries: [other], symbol: undefined, isReturn: false }, [process.pid], runs)[0],
    ).toMatch(/does not map \/other/);
  });
});

test.each([
  ["a command", { isCommand: true, isWithChildren: false }],
  ["its children too", { isCommand: true, isWithChildren: true }],
  ["a process", runs],
])("says of returns that there may have been none, of %s", (_what, run) => {
  using binary = openBinary(process.execPath);
  const [ofReturns, ofEntries] = [true, false].map((isReturn) =>
    explainSilence({ binaries: [binary], symbol: undefined, isReturn }, [process.pid], run).join(),
  );
  expect(ofReturns).toMatch(/, or it never returned\)?$/);
  expect(ofEntries).not.toContain("returned");
});

test("names the clones of a function, without its cold parts", () => {
  const functions = {
    names: () => ["many", "many.cold", "many.constprop.0.isra.0", "many.constprop.0.isra.0", "manyfold"],
  };
  const binary = { path: "/app", device: 0n, inode: 0n, functions } as unknown as Binary;
  const reasons = explainSilence({ binaries: [binary], symbol: "many", isReturn: false }, [], {
    isCommand: true,
    isWithChildren: false,
  });
  expect(reasons.at(-1)).toBe("/app also has many.constprop.0.isra.0: probe 'many*' to see these too");
  expect(
    explainSilence({ binaries: [binary], symbol: "manyfold", isReturn: false }, [], {
      isCommand: true,
      isWithChildren: false,
    }),
  ).toHaveLength(1);
});
