/** Why a probe had no hit: of a command, and of files that share an inode number on two devices. */
import { describe, expect, test } from "vitest";
import { openBinary } from "../../src/target/binary.js";
import type { Binary } from "../../src/target/binary.js";
import { explainSilence } from "../../src/trace/silence.js";

const runs = { isCommand: false, isWithChildren: false };

describe("of a command", () => {
  test("recommends --children only where they were not traced", () => {
    using binary = openBinary(process.execPath);
    expect(explainSilence([binary], [], { isCommand: true, isWithChildren: false })[0]).toContain(
      "--children",
    );
    const [reason] = explainSilence([binary], [], { isCommand: true, isWithChildren: true });
    expect(reason).toMatch(/neither the command nor its children/);
    expect(reason).not.toContain("--children");
  });
});

describe("of a process", () => {
  test("says that it maps the file, by its number on its device", () => {
    using binary = openBinary(process.execPath);
    expect(explainSilence([binary], [process.pid], runs)[0]).toMatch(/^the process maps /);
  });

  test("does not take a file of another device for it", () => {
    using binary = openBinary(process.execPath);
    const other: Binary = Object.create(binary, {
      device: { value: 0xfe_7fn },
      path: { value: "/other" },
      inode: { value: binary.inode },
    });
    expect(explainSilence([other], [process.pid], runs)[0]).toMatch(/does not map \/other/);
  });
});
