/** `--attach pmu -p PID`: several probes in one process, seen in memory and descriptors while they stand and when they are gone. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { startCli } from "../support/cli.js";
import { fileOffsetOf, needs, settledCounts } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const victim = compile("victim.c", ["-O2", "-g"]);
const probed = ["integers", "many", "pointers", "result"];
const breakpoint = 0xcc;

const started: ChildProcess[] = [];

function startVictim(): number {
  const child = spawn(victim, ["1000000", "1"], { stdio: "ignore" });
  started.push(child);
  return child.pid!;
}

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

/** The first byte of each probed function as the process has it now. */
function firstBytes(pid: number): number[] {
  const mapped = readFileSync(`/proc/${pid}/maps`, "utf8")
    .split("\n")
    .filter((line) => line.endsWith(victim))
    .map((line) =>
      /^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+)/
        .exec(line)!
        .slice(1)
        .map((hex) => parseInt(hex, 16)),
    );
  const memory = openSync(`/proc/${pid}/mem`, "r");
  try {
    return probed.map((name) => {
      const offset = fileOffsetOf(victim, name);
      const [start = 0, , from = 0] = mapped.find(
        ([begin = 0, end = 0, at = 0]) => offset >= at && offset < at + end - begin,
      )!;
      const byte = Buffer.alloc(1);
      readSync(memory, byte, 0, 1, start + offset - from);
      return byte[0]!;
    });
  } finally {
    closeSync(memory);
  }
}

function descriptorsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      // Why: one that was open while the folder was listed.
      return [];
    }
  });
}

async function settle(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition() && Date.now() < deadline) await new Promise((resolve) => void setTimeout(resolve, 20));
}

describe.runIf(needs("perf_event links", "attach cookie"))("several probes by --attach pmu -p PID", () => {
  test.each(["SIGINT", "SIGKILL"] as const)(
    "stand in that process alone, and nothing of them is left behind %s",
    async (signal) => {
      const wanted = startVictim();
      const other = startVictim();
      await settle(() =>
        [wanted, other].every((pid) => readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("victim")),
      );
      const before = firstBytes(wanted);
      expect(before).not.toContain(breakpoint);
      const probes = probed.map((name) => `${victim}:${name}`);
      await using running = startCli(["trace", "--attach", "pmu", "-p", String(wanted), ...probes]);
      await running.until("stdout", new RegExp(`(?:.*\\n){${1 + 3 * probed.length}}`));
      expect(firstBytes(wanted)).toEqual(probed.map(() => breakpoint));
      expect(firstBytes(other)).toEqual(before);
      const links = descriptorsOf(running.pid).filter(
        (path) => path.includes("bpf_link") || path.includes("bpf-link"),
      );
      expect(links).toHaveLength(probed.length);
      running.signal(signal);
      const { stdout } = await running.ended;
      const rows = stdout.trimEnd().split("\n").slice(1);
      expect(new Set(rows.map((row) => Number(row.split(/\s+/)[0])))).toEqual(new Set([wanted]));
      expect(new Set(rows.map((row) => row.trim().split(/\s+/).at(-1)))).toEqual(new Set(probed));
      for (const name of probed) {
        expect(await settledCounts({ programs: 0, links: 0 }, name)).toEqual({ programs: 0, links: 0 });
      }
      await settle(() => firstBytes(wanted).join() === before.join());
      expect(firstBytes(wanted)).toEqual(before);
    },
  );

  test("end with the process, without a descriptor of theirs left", async () => {
    const wanted = startVictim();
    const probes = probed.map((name) => `${victim}:${name}`);
    await using running = startCli(["trace", "--attach", "pmu", "-p", String(wanted), ...probes]);
    await running.until("stdout", /(?:.*\n){5}/);
    started.splice(0).forEach((child) => child.kill("SIGKILL"));
    const { status, stderr } = await running.ended;
    expect(stderr).toMatch(/armed 4 places in 1 file, process \d+ \(pmu\)/);
    expect(stderr).toMatch(/the traced processes have ended/);
    expect(status).toBe(0);
    for (const name of probed) {
      expect(await settledCounts({ programs: 0, links: 0 }, name)).toEqual({ programs: 0, links: 0 });
    }
  });
});
