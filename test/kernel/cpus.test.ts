import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { readOnlineCpus, readPossibleCpus } from "../../src/kernel/cpus.js";
import { allowed, bundleChild } from "../support/kernel.js";

const isRoot = allowed(process.geteuid?.() === 0, "only root has mount namespaces");

/** Runs the child in a mount namespace of its own, where a shell command has put something over /sys. */
function errorsBehind(mount: string): { readonly kind: string; readonly message: string }[] {
  const child = bundleChild("kernel/children/unseen-cpus.ts");
  const script = `mount --make-rprivate / && ${mount} && exec "$0" "$1"`;
  const output = execFileSync("unshare", ["--mount", "sh", "-c", script, process.execPath, child], {
    encoding: "utf8",
  });
  return JSON.parse(output) as { kind: string; message: string }[];
}

function getconf(variable: string): number {
  return Number(execFileSync("getconf", [variable], { encoding: "utf8" }));
}

test("the CPUs are those that getconf counts", () => {
  expect(readOnlineCpus()).toHaveLength(getconf("_NPROCESSORS_ONLN"));
  expect(readPossibleCpus()).toBeGreaterThanOrEqual(getconf("_NPROCESSORS_CONF"));
});

describe.runIf(isRoot)("where /sys", () => {
  test("is not mounted, the administrator is told so in three lines", () => {
    const errors = errorsBehind("mount -t tmpfs none /sys");
    expect(errors.map(({ kind }) => kind)).toEqual(["UnsupportedError", "UnsupportedError"]);
    for (const { message } of errors) {
      expect(message).toMatch(
        /^the list of CPUs cannot be read \(ENOENT\)\n {2}at: \/sys\/devices\/system\/cpu\/\w+\n {2}fix: mount -t sysfs/,
      );
    }
  });

  test("holds something else, the file is named", () => {
    const files =
      "mkdir -p /sys/devices/system/cpu && cd /sys/devices/system/cpu && echo 0-x >possible && echo >online";
    const errors = errorsBehind(`mount -t tmpfs none /sys && ${files} && cd /`);
    expect(errors.map(({ kind }) => kind)).toEqual(["FormatError", "FormatError"]);
  });
});
