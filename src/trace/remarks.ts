/**
 * Owns what a trace says about itself to a person: what was armed, what was lost, how it ended and why nothing was seen.
 * Does not own the events.
 */
import { unreachable } from "../base/assert.js";
import { findSignal } from "./ending.js";
import type { Ending } from "./ending.js";
import type { LateFile } from "./latecomers.js";
import type { Plan } from "./plan.js";
import type { Losses, ProbeCounters } from "./probe.js";

/** Skipped places that are named one by one; more are counted. */
const namedPlaces = 5;

/** One line when the probes are armed, and one for each thing that its reader should know. */
export function printArmed({ armed, skipped, notes }: Pick<Plan, "armed" | "skipped" | "notes">): string {
  const where = `${count(armed.places, "place")} in ${count(armed.files, "file")}`;
  const who = armed.pids.length === 0 ? "all processes" : `process ${armed.pids.join(", ")}`;
  const line = `uscope: armed ${where}, ${who} (${armed.way})${skipped.length === 0 ? "" : `; ${count(skipped.length, "place")} skipped`}\n`;
  const named = printSkipped(skipped, skipped.length, "; -v names them all");
  return line + named.join("") + notes.map((note) => `  note: ${note}\n`).join("");
}

/** The first few by name. `where`: where the others are named. */
function printSkipped(skipped: Plan["skipped"], all: number, where = ""): string[] {
  const named = skipped.slice(0, namedPlaces).map(({ name, reason }) => `  skipped ${name}: ${reason}\n`);
  return all > named.length ? [...named, `  and ${all - named.length} more${where}\n`] : named;
}

/** One line for a file that came later. */
export function printLateFile({ path, pid, places }: LateFile): string {
  return `uscope: armed ${count(places, "place")} in ${path}, which process ${pid} has mapped\n`;
}

/** What the compiler and the verifier said. */
export interface Explained extends Pick<Plan, "probes" | "dumps" | "skipped"> {
  readonly verified: readonly { readonly name: string; readonly statistics: string }[];
}

/** What each probe stands for, what it became, and what the verifier says. */
export function printVerbose({ probes, dumps, verified, skipped }: Explained): string {
  const parts = probes.map((probe, index) => `probe ${probe.text}\n${dumps[index] ?? ""}\n`);
  const words = verified.map(
    ({ name, statistics }) => `verifier, program ${name}: ${statistics.trim().replaceAll("\n", "; ")}\n`,
  );
  return [...parts, ...words, ...skipped.map(({ name, reason }) => `skipped ${name}: ${reason}\n`)].join("");
}

/** What was lost so far, for each probe that lost something. */
export function printLosses({ probes }: Pick<Plan, "probes">, counters: readonly ProbeCounters[]): string {
  return probes
    .map((probe, index) => ({ probe, lost: counters[index]?.lost ?? 0n }))
    .filter(({ lost }) => lost > 0n)
    .map(
      ({ probe, lost }) =>
        `uscope: lost ${lost} events so far of ${probe.text} (the ring buffer was full; -b makes it larger)\n`,
    )
    .join("");
}

/** What a trace has seen until now. */
export interface Seen extends Pick<Plan, "probes"> {
  counters(): readonly ProbeCounters[];
  losses(): Losses;
  explainSilence(probe: number): readonly string[];
}

/** What was seen and lost, how it ended, and where there was no hit why that may be. `shown`: events, where they are lines. */
export function printEnding(
  seen: Seen,
  ending: Ending,
  shown?: { readonly shown: number; readonly leftOut: number },
): string {
  const { probes } = seen;
  const counters = seen.counters();
  const leftOut = shown === undefined || shown.leftOut === 0 ? "" : `, ${shown.leftOut} left out by -f or -n`;
  const events = shown === undefined ? "" : `; ${count(shown.shown, "event")} shown${leftOut}`;
  const lines = [`uscope: ${endingText(ending)}${events}\n`];
  probes.forEach((probe, index) => {
    const { hits, lost, faults, filtered, reached = 0n } = counters[index]!;
    const parts = [
      `${hits} ${hits === 1n ? "hit" : "hits"}`,
      filtered > 0n ? `${filtered} held back by the predicate` : "",
      `${lost} lost`,
      faults > 0n ? `${faults} faulted ${faults === 1n ? "read" : "reads"}` : "",
    ].filter((part) => part !== "");
    if (probes.length > 1 || hits !== BigInt(shown?.shown ?? -1) || lost > 0n || faults > 0n)
      lines.push(`  ${probe.text}: ${parts.join(", ")}\n`);
    if (hits === 0n && reached > 0n)
      lines.push(`  no hit: ${reached} came from processes that are not asked for\n`);
    else if (hits === 0n) lines.push(...seen.explainSilence(index).map((reason) => `  no hit: ${reason}\n`));
  });
  const {
    late,
    unresolved,
    recursionMisses,
    familyChanges,
    lostMappings,
    dropped,
    missedReturns,
    deepCalls,
    missedEnds,
    deepPairs,
    skippedLate,
    moreSkippedLate,
  } = seen.losses();
  if (late > 0) lines.push(`  ${count(late, "event")} came too late to be shown in order of time\n`);
  if (unresolved > 0) lines.push(`  ${count(unresolved, "address", "addresses")} could not be named\n`);
  if (dropped > 0n) lines.push(`  ${dropped} additions found no room for their key: they are missing\n`);
  if (missedReturns > 0n) lines.push(`  ${missedReturns} returns of calls whose entry was not seen\n`);
  if (missedEnds > 0n) lines.push(`  ${count(missedEnds, "end")} of pairs whose beginning was not seen\n`);
  if (deepPairs > 0n)
    lines.push(
      `  ${count(deepPairs, "end")} of pairs whose beginning was given up: more than 64 others had begun since\n`,
    );
  if (deepCalls > 0n)
    lines.push(
      `  ${deepCalls} calls were more than 64 probed calls deep: the kernel does not show their return\n`,
    );
  if (lostMappings > 0)
    lines.push(`  ${count(lostMappings, "record")} of mappings lost: names may be missing\n`);
  if (familyChanges > 0)
    lines.push(
      `  ${count(familyChanges, "fork or exit", "forks or exits")} of processes went unseen: children may be missing\n`,
    );
  lines.push(...printSkipped(skippedLate, skippedLate.length + moreSkippedLate));
  if (recursionMisses > 0n)
    lines.push(
      `  ${recursionMisses} hits were skipped by the kernel while another program ran on that CPU\n`,
    );
  return lines.join("");
}

function endingText(ending: Ending): string {
  switch (ending.kind) {
    case "stopped":
      return `ended${commandText(ending)}`;
    case "processes ended":
      return "the traced processes have ended";
    case "thread ended":
      return "the traced thread has ended";
    case "command ended":
      return `the command has ended (exit code ${ending.exitCode}${exitMeaning(ending.exitCode)})`;
    case "over budget":
      return `stopped: the probes cost ${ending.percent.toFixed(1)} % of a core, more than --budget allows${commandText(ending)}`;
    default:
      return unreachable(ending);
  }
}

function commandText({ command }: { readonly command?: "killed" }): string {
  return command === "killed" ? "; the command was sent SIGTERM" : "";
}

/** Spec: POSIX shells answer 126 and 127 for what they cannot run. */
function exitMeaning(code: number): string {
  if (code === 126) return ": found, but not to be executed";
  if (code === 127) return ": not found, or its interpreter is not";
  const signal = findSignal(code);
  return signal === undefined ? "" : `: ended by ${signal}`;
}

function count(number: number | bigint, one: string, many = `${one}s`): string {
  return `${number} ${Number(number) === 1 ? one : many}`;
}
