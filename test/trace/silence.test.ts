/** Why a probe had no hit: of a command, of files that share an inode number on two devices, of files that came late. */
import { spawn } from "node:child_process";
import { describe, expect, test } from "vitest";
import { openBinary } from "../../src/target/binary.js";
import type { Binary } from "../../src/target/binary.js";
import { explainSilence } from "../../src/trace/silence.js";

const runs = { isCommand: false, isWithChildren: false };

describe("of a command", () => {
  test("recommends --children only where they were not traced", () => {
    using binary = openBinary(process.execPath);
    expect(
      explainSilence({ binaries: [binary], symbol: undefined, passed: "place" }, [], {
        isCommand: true,
        isWithChildren: false,
      })[0],
    ).toContain("--children");
    const [reason] = explainSilence({ binaries: [binary], symbol: undefined, passed: "place" }, [], {
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
      explainSilence({ binaries: [binary], symbol: undefined, passed: "place" }, [process.pid], runs)[0],
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
      explainSilence({ binaries: [other], symbol: undefined, passed: "place" }, [process.pid], runs)[0],
    ).toMatch(/does not map \/other/);
  });
});

test.each([
  ["a command", { isCommand: true, isWithChildren: false }],
  ["its children too", { isCommand: true, isWithChildren: true }],
  ["a process", runs],
])("says of returns that there may have been none, of %s", (_what, run) => {
  using binary = openBinary(process.execPath);
  const [ofReturns, ofEntries] = (["return", "place"] as const).map((passed) =>
    explainSilence({ binaries: [binary], symbol: undefined, passed }, [process.pid], run).join(),
  );
  expect(ofReturns).toMatch(/, or it never returned\)?$/);
  expect(ofEntries).not.toContain("returned");
});

test("names the clones of a function, without its cold parts", () => {
  const functions = {
    names: () => ["many", "many.cold", "many.constprop.0.isra.0", "many.constprop.0.isra.0", "manyfold"],
  };
  const binary = { path: "/app", device: 0n, inode: 0n, functions } as unknown as Binary;
  const reasons = explainSilence({ binaries: [binary], symbol: "many", passed: "place" }, [], {
    isCommand: true,
    isWithChildren: false,
  });
  expect(reasons.at(-1)).toBe("/app also has many.constprop.0.isra.0: probe 'many*' to see these too");
  expect(
    explainSilence({ binaries: [binary], symbol: "manyfold", passed: "place" }, [], {
      isCommand: true,
      isWithChildren: false,
    }),
  ).toHaveLength(1);
});

const silent = { symbol: undefined, passed: "marker" } as const;

const conditionsOf = (...markers: readonly string[]): readonly string[] => {
  using binary = openBinary(process.execPath);
  return explainSilence({ ...silent, binaries: [binary], markers }, [], {
    ...runs,
    isCommand: true,
  }).slice(1);
};

describe("of markers", () => {
  test("says that a file was armed late, and how to see its first hits", () => {
    using binary = openBinary(process.execPath);
    const reasonsOf = (milliseconds: number | undefined, isCommand: boolean): readonly string[] =>
      explainSilence({ ...silent, binaries: [binary], late: [binary] }, [process.pid], {
        isCommand,
        isWithChildren: true,
        lateFiles: new Map([[binary.path, { milliseconds }]]),
      });
    expect(reasonsOf(41.7, true)).toEqual([
      `${binary.path} was armed 42 ms after it was mapped, and nothing passed it since: named by its path it is armed from the start`,
    ]);
    expect(reasonsOf(undefined, false).join()).toMatch(/was armed only after it was mapped, and/);
  });

  test("names the children that were not traced", () => {
    const child = spawn("sleep", ["10"]);
    try {
      using binary = openBinary(process.execPath);
      const reasonsOf = (isWithChildren: boolean): string =>
        explainSilence({ ...silent, binaries: [binary] }, [process.pid], { ...runs, isWithChildren }).join();
      expect(reasonsOf(false)).toMatch(new RegExp(`its children \\(.*\\) were not traced: --children`));
      expect(reasonsOf(true)).not.toContain("--children");
      expect(explainSilence({ ...silent, binaries: [] }, [child.pid!], runs)).toHaveLength(1);
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("says what makes a runtime pass them", () => {
    expect(conditionsOf("php:function__entry", "php:function__return")).toEqual([
      expect.stringContaining("USE_ZEND_DTRACE=1"),
    ]);
    expect(conditionsOf("hotspot:method__entry..method__return").join()).toContain("ExtendedDTraceProbes");
    expect(conditionsOf("php:request__startup", "hotspot:gc__begin", "other:function__entry")).toEqual([]);
  });
});
