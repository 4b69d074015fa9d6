/** Cgroups of the real cgroup v2 mount as filters: what they resolve to, and whose calls are seen through them. */
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NotFoundError } from "../../src/base/errors.js";
import { pidOf } from "../../src/trace/events.js";
import { resolveFilter } from "../../src/trace/filter.js";
import { arm } from "../../src/trace/arm.js";
import { runCli } from "../support/cli.js";
import { fits, needs } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const victim = compile("victim.c", ["-O2", "-g"]);
const root = /^\S+ \S+ \S+ \/ (\S+) .* - cgroup2 /m.exec(readFileSync("/proc/self/mountinfo", "utf8"))?.[1];
const isPossible =
  fits(root === undefined ? "no cgroup2 file system is mounted" : undefined) &&
  needs("cgroup filter", "uprobe_multi");

const cgroupOf = (path: string) =>
  resolveFilter({ pids: [], children: false, includeSelf: false, launched: false, cgroup: path }).cgroup;

/** The processes whose calls are seen in half a second. */
async function seenIn(cgroup: string): Promise<Set<number>> {
  await using armed = await arm({ probes: [`${victim}:result`], cgroup });
  const seen = new Set<number>();
  await armed.run({
    signal: AbortSignal.timeout(500),
    onEvent: (record) => void seen.add(pidOf(record)),
  });
  return seen;
}

describe.runIf(isPossible)("a cgroup", () => {
  const name = `uscope-test-${process.pid}`;
  const outer = join(root ?? "/", name);
  const inner = join(outer, "inner one");
  const sibling = `${outer}-sibling`;
  const folders = [outer, inner, sibling];
  const started: ChildProcess[] = [];

  /** Starts a victim that calls all the time, and puts it into a cgroup. */
  function startIn(cgroup: string): number {
    const child = spawn(victim, ["1000000", "1"], { stdio: "ignore" });
    started.push(child);
    writeFileSync(join(cgroup, "cgroup.procs"), `${child.pid}`);
    return child.pid!;
  }

  beforeAll(() => folders.forEach((folder) => mkdirSync(folder)));

  afterAll(async () => {
    for (const child of started) child.kill("SIGKILL");
    for (const folder of [...folders].reverse()) {
      // Why: the kernel lets a cgroup go only when its last process has been buried.
      for (let attempt = 0; attempt < 100; attempt++) {
        try {
          rmdirSync(folder);
          break;
        } catch {
          await new Promise((resolve) => void setTimeout(resolve, 20));
        }
      }
    }
  });

  test("shows the calls of its processes and of those in cgroups below it, and no others", async () => {
    const [inOuter, inInner, inSibling] = [startIn(outer), startIn(inner), startIn(sibling)];
    const outside = startIn(root!);
    expect(await seenIn(outer)).toEqual(new Set([inOuter, inInner]));
    expect(await seenIn(inner)).toEqual(new Set([inInner]));
    expect(await seenIn(sibling)).toEqual(new Set([inSibling]));
    expect(await seenIn(root!)).toEqual(new Set([inOuter, inInner, inSibling, outside]));
  });

  test("is known by the id that the kernel's file handle has, and by its depth", () => {
    expect(cgroupOf(inner)).toEqual({ id: BigInt(statSync(inner).ino), level: 2 });
    expect(cgroupOf(outer)?.level).toBe(1);
    expect(cgroupOf(root!)).toEqual({ id: 1n, level: 0 });
    expect(cgroupOf(`${outer}/./inner one/../`)).toEqual(cgroupOf(outer));
  });

  test("may be named through a link, and through a mount of a part of the hierarchy", () => {
    const folder = mkdtempSync(join(tmpdir(), "uscope-cgroup-"));
    try {
      const link = join(folder, "link");
      symlinkSync(outer, link);
      expect(cgroupOf(link)).toEqual(cgroupOf(outer));
      const part = join(folder, "a part");
      mkdirSync(part);
      execFileSync("mount", ["--bind", outer, part]);
      try {
        expect(cgroupOf(join(part, "inner one"))).toEqual(cgroupOf(inner));
      } finally {
        execFileSync("umount", [part]);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each([
    ["that is not there", () => join(outer, "nobody"), /^no cgroup ".*nobody"\n/],
    ["whose name goes on", () => `${outer}x`, /^no cgroup/],
    [
      "that is a file of a cgroup",
      () => join(outer, "cgroup.procs"),
      /is no cgroup: cgroups are directories\n/,
    ],
    ["below a file", () => join(outer, "cgroup.procs", "x"), /^no cgroup/],
    ["outside of the hierarchy", () => tmpdir(), /is not in a cgroup v2 hierarchy\n/],
    ["beside the mount", () => dirname(root!), /is not in a cgroup v2 hierarchy\n/],
    ["without a name", () => "", /^no cgroup ""|is not in a cgroup v2/],
  ])("%s is refused in three lines", (_, path, message) => {
    expect(() => cgroupOf(path())).toThrow(NotFoundError);
    expect(() => cgroupOf(path())).toThrow(message);
    expect(() => cgroupOf(path())).toThrow(
      /\n {2}at: .*; cgroup v2 is mounted at: \/.*\n {2}fix: name a directory/,
    );
  });

  test("is refused from within a cgroup namespace, where its depth is hidden", async () => {
    const words = ["trace", "-d", "0.1", "-c", outer, `${victim}:result`];
    const { status, stderr } = await runCli(words, { prefix: ["unshare", "--cgroup"] });
    expect(stderr).toMatch(/^(uscope: )?cgroups cannot be chosen from within a cgroup namespace/m);
    expect(status).toBe(1);
  });

  test("is an option of the command line", async () => {
    const inside = startIn(outer);
    const outside = startIn(sibling);
    const { stdout, status } = await runCli(["trace", "-M", "20", "-c", outer, `${victim}:result`]);
    const pids = stdout
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => Number(line.split(/\s+/)[0]));
    expect(pids).toHaveLength(20);
    expect(pids).toContain(inside);
    expect(pids).not.toContain(outside);
    expect(status).toBe(0);
    const bad = await runCli(["trace", "-c", join(outer, "nobody"), `${victim}:result`]);
    expect(bad.stderr.split("\n").filter((line) => /^ {2}(at|fix):/.test(line))).toHaveLength(2);
    expect(bad.status).toBe(1);
  });
});
