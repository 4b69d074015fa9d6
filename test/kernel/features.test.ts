import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { release } from "node:os";
import { performance } from "node:perf_hooks";
import { describe, expect, test } from "vitest";
import { Features, features } from "../../src/kernel/features.js";
import type { FeatureName } from "../../src/kernel/features.js";
import { describeErrno } from "../../src/kernel/errno.js";
import { kernelError } from "../../src/kernel/hints.js";
import {
  decodeCapabilities,
  findObstacle,
  missingCapabilities,
  readPrivileges,
} from "../../src/kernel/privileges.js";
import { needs } from "../support/kernel.js";

const names = Object.keys(features) as FeatureName[];

describe.runIf(needs("ring buffer"))("features", () => {
  test("this kernel has what kernels of its version have", () => {
    const kernel = new Features();
    const [major = 0, minor = 0] = release()
      .split(".")
      .map((part) => Number.parseInt(part, 10));
    for (const name of names) {
      const [wantedMajor = 0, wantedMinor = 0] = features[name].since.split(".").map(Number);
      const isOlder = major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
      // BTF is a choice of who builds the kernel.
      const expected = name === "BTF" ? existsSync("/sys/kernel/btf/vmlinux") : !isOlder;
      expect(kernel.availability(name), name).toBe(expected ? "yes" : "no");
    }
  });

  test("are probed once, and quickly", () => {
    const kernel = new Features();
    const start = performance.now();
    for (const name of names) kernel.has(name);
    const first = performance.now() - start;
    const again = performance.now();
    for (const name of names) kernel.has(name);
    expect(performance.now() - again).toBeLessThan(1);
    expect(first).toBeLessThan(500);
  });
});

describe("privileges", () => {
  test("capabilities are named as capsh names them", () => {
    const mask = "000001ffffffffff";
    const oracle = execFileSync("/sbin/capsh", [`--decode=${mask}`], { encoding: "utf8" });
    const wanted = oracle
      .trim()
      .split("=")[1]!
      .split(",")
      .map((name) => name.toUpperCase());
    expect([...decodeCapabilities(mask)]).toEqual(wanted);
    expect([...decodeCapabilities("8000000000000000")]).toEqual(["CAP_63"]);
  });

  test("each purpose says what it misses", () => {
    const nobody = { ...readPrivileges(), capabilities: new Set<string>(), initialUserNamespace: true };
    expect(missingCapabilities(nobody, "attach by the uprobe PMU")).toEqual(["CAP_SYS_ADMIN"]);
    expect(findObstacle(nobody, "look into processes of other users")?.what).toBe(
      "this process lacks CAP_SYS_PTRACE",
    );
    const admin = { ...nobody, capabilities: new Set(["CAP_SYS_ADMIN"]) };
    expect(missingCapabilities(admin, "load programs")).toEqual([]);
    expect(findObstacle({ ...admin, lockdown: "confidentiality" }, "load programs")?.what).toContain(
      "lockdown",
    );
    expect(findObstacle({ ...admin, lockdown: "integrity" }, "load programs")).toBeUndefined();
  });
});

describe("refusals", () => {
  test("a raw errno never stands alone", () => {
    for (let number = 1; number < 600; number++) {
      const { message } = kernelError("bpf BPF_LINK_CREATE uprobe_multi", number, "a file");
      expect(message).toMatch(
        /^\S.* \(.+: .+\)\n {2}at: a file, bpf BPF_LINK_CREATE uprobe_multi\n {2}fix: \S/,
      );
    }
    expect(describeErrno(524)).toEqual({ name: "ENOTSUPP", meaning: "operation not supported" });
    expect(describeErrno(1)).toEqual({ name: "EPERM", meaning: "operation not permitted" });
    expect(describeErrno(4000).name).toBe("errno 4000");
  });

  test.each([
    ["perf_event_open uprobe", 24, /too many open files.*\(EMFILE/, /ulimit -n/],
    ["bpf BPF_LINK_CREATE uprobe_multi", 7, /at most 1,048,576/, /fewer/],
    ["bpf BPF_PROG_LOAD", 12, /not enough memory/, /smaller/],
    ["bpf BPF_PROG_LOAD", 38, /built without the call \(ENOSYS/, /CONFIG_BPF_SYSCALL/],
  ] as const)("%s with errno %d is explained", (call, number, what, fix) => {
    const error = kernelError(call, number, "a thing");
    expect(error.what).toMatch(what);
    expect(error.fix).toMatch(fix);
    expect(error.errno).toBe(number);
  });
});
