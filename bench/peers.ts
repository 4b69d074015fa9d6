/**
 * Owns the other tracers, where they are installed: the same questions put to bpftrace and to BCC's trace.
 * Does not own installing them. What does not start is reported in its own words.
 */
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "./processes.js";
import type { Finished } from "./processes.js";
import { readCost } from "./workplace.js";
import type { Site, Workplace } from "./workplace.js";

export interface Printed {
  /** Nanoseconds per traced call. */
  readonly cost: number;
  readonly lines: number;
}

/** Finds which peers can be run. */
export function findPeers(): { readonly bpftrace: boolean; readonly bcc: boolean } {
  return { bpftrace: answers("bpftrace"), bcc: answers("trace-bpfcc") };
}

function answers(command: string): boolean {
  return spawnSync(command, ["--help"]).error === undefined;
}

/** Lets bpftrace print time, pid, comm and one argument of each call of g. */
export async function printByBpftrace(workplace: Workplace, calls: number): Promise<Printed> {
  const program = `uprobe:${workplace.loop}:g { printf("%llu %d %s %d\\n", nsecs, pid, comm, arg0); }`;
  const { text } = await toFile(
    workplace,
    (out) => start("bpftrace", ["-e", program, "-c", `${workplace.loop} ${calls} g`], out).ended,
  );
  return { cost: readCost(text), lines: countLines(text) };
}

/** Lets bpftrace run a program that gathers while a function is called; returns nanoseconds per call. */
export async function gatherByBpftrace(
  workplace: Workplace,
  program: string,
  calls: number,
  site: Site = "g",
): Promise<number> {
  const started = start("bpftrace", ["-e", program, "-c", `${workplace.loop} ${calls} ${site}`]);
  return readCost((await started.ended).stdout);
}

/** Lets BCC's trace print the same, or says in its words why it does not start. */
export async function printByBcc(workplace: Workplace, calls: number): Promise<Printed | string> {
  let cost = 0;
  const { text, finished } = await toFile(workplace, async (out, path) => {
    const words = ["PYTHONUNBUFFERED=1", "trace-bpfcc", `${workplace.loop}:g "%d", arg1`];
    const tracer = start("env", words, out);
    const hasHeader = (): boolean => readFileSync(path, "latin1").startsWith("PID");
    for (let waited = 0; tracer.isRunning() && waited < 20_000 && !hasHeader(); waited += 50) await sleep(50);
    if (tracer.isRunning() && hasHeader()) {
      cost = await workplace.call("g", calls);
      await settled(path);
    }
    return tracer.stop();
  });
  if (cost > 0) return { cost, lines: countLines(text) };
  return lastLine(finished.stderr || text);
}

/** How long bpftrace takes from exec until the first call of a traced command has run, in milliseconds. */
export async function startBpftrace(workplace: Workplace): Promise<number> {
  const words = ["-e", `uprobe:${workplace.loop}:g { @ = count(); }`, "-c", `${workplace.loop} 1 g`];
  const started = start("bpftrace", words);
  const { milliseconds } = await started.until(/ns\/call/);
  await started.ended;
  return milliseconds;
}

/** What bpftrace says to all functions of a file at once. */
export async function askBpftraceForAll(path: string): Promise<string> {
  const started = start("bpftrace", ["-e", `uprobe:${path}:* { @ = count(); }`]);
  const giveUp = setTimeout(() => void started.stop(), 30_000);
  const { stderr, stdout, status } = await started.ended;
  clearTimeout(giveUp);
  if (status === 0) return "ended without a word";
  const text = stderr || stdout;
  const refusal = text.split("\n").find((line) => line.includes("limit of"));
  return (refusal ?? lastLine(text)).replace(/^ERROR: /, "");
}

async function toFile(
  workplace: Workplace,
  trace: (out: number, path: string) => Promise<Finished>,
): Promise<{ readonly text: string; readonly finished: Finished }> {
  const path = join(workplace.folder, "printed");
  const out = openSync(path, "w");
  try {
    const finished = await trace(out, path);
    return { text: readFileSync(path, "latin1"), finished };
  } finally {
    closeSync(out);
  }
}

/** Waits until a file has stopped growing for a second. */
async function settled(path: string): Promise<void> {
  for (let size = -1; size !== statSync(path).size; await sleep(1000)) size = statSync(path).size;
}

function countLines(text: string): number {
  return text.match(/ loop /g)?.length ?? 0;
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
