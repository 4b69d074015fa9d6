import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { KernelError, UnsupportedError } from "../../src/base/errors.js";
import { errno } from "../../src/kernel/errno.js";
import { createMap } from "../../src/kernel/maps.js";
import { readPageSize } from "../../src/kernel/ringbuffer.js";
import { attemptBpf, mapMemory, unmapMemory, watchDescriptor } from "../../src/kernel/syscalls.js";
import { bundleChild, fits, needs } from "../support/kernel.js";
import { ringMap } from "./programs.js";

const page = readPageSize();

function addonPath(): string {
  return join(import.meta.dirname, `../../prebuilds/linux-${process.arch}/uscope.node`);
}

/** Puts an addon that works into a folder, as if it were that of the package. */
function plant(folder: string): void {
  cpSync(addonPath(), join(folder, "prebuilds", `linux-${process.arch}`, "uscope.node"));
}

test("the size of a page is what getconf says", () => {
  expect(page).toBe(Number(execFileSync("getconf", ["PAGESIZE"], { encoding: "utf8" })));
});

test("the addon names no libc, so that it runs with any", () => {
  const path = addonPath();
  expect(execFileSync("readelf", ["-d", path], { encoding: "utf8" })).not.toContain("NEEDED");
  expect(execFileSync("readelf", ["-V", path], { encoding: "utf8" })).toContain("No version information");
});

test("the addon refuses arguments of another kind and does not crash", () => {
  const addon = createRequire(import.meta.url)(addonPath()) as Record<
    string,
    (...values: unknown[]) => unknown
  >;
  const bytes = new Uint8Array(16);
  const wrong: [string, unknown[]][] = [
    ["bpf", []],
    ["bpf", [0, new ArrayBuffer(16), []]],
    ["bpf", [0, new Uint8Array(10_000), []]],
    ["bpf", ["0", bytes, []]],
    ["bpf", [0, bytes, [{ offset: 9, buffer: bytes }]]],
    ["bpf", [0, bytes, [{ offset: -1, buffer: bytes }]]],
    ["bpf", [0, bytes, [{ offset: 0, buffer: "text" }]]],
    ["bpf", [0, bytes, [undefined]]],
    ["bpf", [0, bytes, Array.from({ length: 17 }, () => ({ offset: 0, buffer: bytes }))]],
    ["bpf", [0, bytes, { length: 1 }]],
    ["perfEventOpen", [bytes, [], 0, 0, 0]],
    ["ioctl", [0, 1, "x"]],
    ["close", [undefined]],
    ["mmap", [-1, 1, 1, -1, 0]],
    ["munmap", [new ArrayBuffer(16)]],
    ["munmap", [{}]],
    ["munmap", [7]],
    ["watch", [0, false, "callback"]],
    ["watch", [0, 1, () => {}]],
    ["unwatch", [{}]],
    ["unwatch", [undefined]],
  ];
  for (const [name, values] of wrong) expect(() => addon[name]!(...values), name).toThrow(TypeError);
  expect(addon["close"]!(-1)).toBe(-errno.EBADF);
  expect(addon["watch"]!(-1, false, () => {})).toBe(-errno.EBADF);
});

test("a platform without a binary is a sentence", () => {
  const child = bundleChild("kernel/children/refused.ts");
  const run = spawnSync(
    process.execPath,
    ["-e", `Object.defineProperty(process, "arch", { value: "mips" }); import(${JSON.stringify(child)})`],
    { encoding: "utf8" },
  );
  expect(JSON.parse(run.stdout).map).toMatch(
    /^uscope has no working native part for this platform \(linux-mips\)\n {2}at: prebuilds\/linux-mips\/uscope\.node: .*\n {2}fix: install/,
  );
  expect(new UnsupportedError({ what: "", at: "", fix: "" }).kind).toBe("UnsupportedError");
});

test("an addon that lies above the package is never loaded", () => {
  const above = mkdtempSync(join(tmpdir(), "uscope-above-"));
  const bundles = join(above, "uscope", "dist", "code");
  mkdirSync(bundles, { recursive: true });
  for (const [folder, content] of [
    [above, {}],
    [join(above, "uscope"), { name: "uscope", type: "module" }],
    [bundles, { type: "module" }],
  ] as const)
    writeFileSync(join(folder, "package.json"), JSON.stringify(content));
  const child = join(bundles, "refused.mjs");
  copyFileSync(bundleChild("kernel/children/refused.ts"), child);
  const ask = (): string => {
    const run = spawnSync(process.execPath, [child], { encoding: "utf8" });
    return (JSON.parse(run.stdout) as { map: string }).map;
  };
  plant(above);
  expect(ask()).toMatch(/^uscope has no working native part [^]*: cannot open shared object file/);
  plant(join(above, "uscope"));
  expect(ask()).not.toContain("native part");
  // A bundle that somebody made of it elsewhere belongs to another package.
  writeFileSync(join(above, "uscope", "package.json"), JSON.stringify({ name: "other" }));
  expect(ask()).toMatch(/: .* is not in the uscope package\n {2}fix: /);
  rmSync(above, { recursive: true });
});

describe.runIf(needs("ring buffer"))("memory", () => {
  test("that was unmapped is out of reach of every view", () => {
    using map = createMap(ringMap(page));
    const buffer = mapMemory({ fd: map.fd, offset: 0, length: page, writable: true }, "a ring");
    const words = new BigInt64Array(buffer);
    words[0] = 24n;
    expect(words[0]).toBe(24n);
    unmapMemory(buffer);
    expect(buffer.byteLength).toBe(0);
    expect(words.length).toBe(0);
    words[0] = 1n;
    expect(words[0]).toBeUndefined();
    expect(() => Atomics.load(words, 0)).toThrow(TypeError);
    unmapMemory(buffer);
  });

  test("that cannot be mapped says why", () => {
    using map = createMap(ringMap(page));
    const producerPages = { fd: map.fd, offset: page, length: page, writable: true };
    expect(() => mapMemory(producerPages, "a ring")).toThrow(KernelError);
    expect(() => mapMemory(producerPages, "a ring")).toThrow(/EPERM: .*\n {2}at: a ring, mmap\n {2}fix: /);
  });

  test("stays right for the kernel whenever garbage is collected", () => {
    const child = bundleChild("kernel/children/buffers.ts");
    const run = spawnSync(process.execPath, ["--expose-gc", child], { encoding: "utf8" });
    expect(run.stderr).toBe("");
    expect(run.stdout).toBe("200\n");
  });
});

describe.runIf(needs("ring buffer"))("watches", () => {
  test("live and end with their own thread, and keep no process alive", () => {
    const run = spawnSync(process.execPath, [bundleChild("kernel/children/worker.ts")], {
      encoding: "utf8",
      timeout: 20_000,
    });
    expect(run.stderr).toBe("");
    expect(run.stdout).toBe("done 131072\n");
    expect({ status: run.status, signal: run.signal }).toEqual({ status: 0, signal: null });
  });

  test("of a descriptor that cannot be watched say why", () => {
    expect(() => watchDescriptor(-1, { keepAlive: false }, () => {}, "nothing")).toThrow(/EBADF: /);
  });
});

describe.runIf(needs("ring buffer"))("without privileges", () => {
  const child = bundleChild("kernel/children/refused.ts");
  const asNobody = ["--reuid", "65534", "--clear-groups"];

  test("every refusal says which capability is missing", () => {
    const report = JSON.parse(
      execFileSync("setpriv", [...asNobody, process.execPath, child], { encoding: "utf8" }),
    );
    expect(report.map).toMatch(
      /^this process lacks CAP_BPF \(EPERM: operation not permitted\)\n {2}at: map counts, bpf BPF_MAP_CREATE\n {2}fix: run it as root/,
    );
    expect(report.program).toMatch(/^this process lacks CAP_BPF and CAP_PERFMON \(EPERM/);
    expect(report.processes).toMatch(/^this process lacks CAP_PERFMON \(EACCES/);
    expect(report).toMatchObject({
      ring: "not permitted",
      initial: true,
      missing: ["CAP_BPF", "CAP_PERFMON"],
      capabilities: [],
    });
  });

  const refusal = spawnSync("unshare", ["--user", "--map-root-user", "true"], { encoding: "utf8" }).stderr;
  test.runIf(fits(refusal === "" ? undefined : refusal.trim()))(
    "root in a user namespace of its own is told so",
    () => {
      const run = spawnSync("unshare", ["--user", "--map-root-user", process.execPath, child], {
        encoding: "utf8",
      });
      const report = JSON.parse(run.stdout);
      expect(report.initial).toBe(false);
      expect(report.capabilities).toContain("CAP_BPF");
      expect(report.missing).toEqual(["CAP_BPF", "CAP_PERFMON"]);
      expect(report.map).toMatch(/^this process lives in a user namespace of its own/);
    },
  );

  test("CAP_BPF and CAP_PERFMON suffice to load programs", () => {
    const few = "-all,+bpf,+perfmon";
    const report = JSON.parse(
      execFileSync(
        "setpriv",
        [
          ...asNobody,
          "--inh-caps",
          few,
          "--ambient-caps",
          few,
          "--bounding-set",
          few,
          process.execPath,
          child,
        ],
        { encoding: "utf8" },
      ),
    );
    expect(report).toMatchObject({
      map: "nothing was refused",
      program: "nothing was refused",
      processes: "nothing was refused",
      multi: "yes",
      missing: [],
      capabilities: ["CAP_PERFMON", "CAP_BPF"],
    });
  });
});

test("a call that the kernel does not know is a negative errno", () => {
  const attr = { call: "close", command: 9999, bytes: new Uint8Array(8), patches: [] } as const;
  expect(attemptBpf(attr)).toBe(-errno.EINVAL);
});
