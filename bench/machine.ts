/** Owns what the numbers were measured on: date, processor, kernel, versions. Names no host and no path. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";

/** Describes this machine, one fact a line. */
export function describeMachine(): readonly string[] {
  return [
    `date: ${new Date().toISOString().slice(0, 10)}`,
    `processor: ${cpus()[0]?.model ?? "unknown"}, ${availableParallelism()} CPUs${isVirtual() ? ", in a virtual machine" : ""}`,
    `memory: ${Math.round(totalmem() / 2 ** 30)} GB; load when the run began: ${loadavg()[0]?.toFixed(1)}`,
    `kernel: Linux ${release()} ${process.arch}`,
    `uscope ${readVersion()}, Node ${process.versions.node}`,
    `gcc ${firstLine("gcc", ["-dumpfullversion"]) ?? "none"}; ${firstLine("bpftrace", ["--version"]) ?? "no bpftrace"}; BCC ${packageVersion("bpfcc-tools") ?? "none"}`,
  ];
}

function isVirtual(): boolean {
  return /^flags\s*:.*\bhypervisor\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));
}

function readVersion(): string {
  const file = new URL("../package.json", import.meta.url);
  return String((JSON.parse(readFileSync(file, "utf8")) as { version: unknown }).version);
}

function firstLine(command: string, words: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(command, words, { encoding: "utf8" });
  return status === 0 ? stdout.split("\n")[0] : undefined;
}

function packageVersion(name: string): string | undefined {
  return firstLine("dpkg-query", ["-W", "-f", "${Version}\n", name]);
}
