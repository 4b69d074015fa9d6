/**
 * Owns `uscope doctor`: a page, or a JSON object, on what this kernel and these privileges allow.
 * Does not own how that is found out (trace/machine.ts) nor what it means (verdict.ts).
 */
import { unreachable } from "../base/assert.js";
import { readMachine } from "../trace/machine.js";
import type { Availability, Machine, Outcome } from "../trace/machine.js";
import { Output } from "./output.js";
import { judge, listWords } from "./verdict.js";
import type { Verdict } from "./verdict.js";

export interface DoctorRequest {
  readonly json: boolean;
}

/** Returns the exit code: 0 when everything works that a trace cannot do without, else 1. */
export function doctor({ json }: DoctorRequest): number {
  const machine = readMachine();
  const verdict = judge(machine);
  const output = new Output(1);
  output.write(json ? `${JSON.stringify(toJson(machine, verdict))}\n` : printPage(machine, verdict));
  output.flush();
  return verdict.tracing ? 0 : 1;
}

function printPage(machine: Machine, verdict: Verdict): string {
  const { kernel, node, broken } = machine;
  const tried = broken === undefined ? [printFeatures(machine), printSteps(machine)] : [];
  return [
    `Linux ${kernel.release} ${kernel.architecture}, Node ${node}\n`,
    ...tried,
    printSettings(machine),
    printVerdict(verdict),
  ].join("\n");
}

function printFeatures({ features }: Machine): string {
  const rows = features.map(({ name, since, availability, usedFor }) => [
    name,
    since,
    printAvailability(availability),
    usedFor,
  ]);
  const isUnknown = features.some(({ availability }) => availability === "not permitted");
  const legend = isUnknown ? "?: this process may not ask the kernel for it\n" : "";
  return printTable([["KERNEL FEATURE", "SINCE", "HERE", "USED FOR"], ...rows]) + legend;
}

function printSteps({ steps }: Machine): string {
  const rows = steps.map(({ name, outcome, usedFor }) => [
    name,
    outcome.kind === "worked" ? "yes" : "no",
    usedFor,
    printOutcome(outcome),
  ]);
  return printTable([["STEP, JUST TRIED", "WORKS", "USED FOR", "MISSING"], ...rows]);
}

function printOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case "worked":
      return "-";
    case "no feature":
      return outcome.feature.name;
    case "capabilities":
      return outcome.missing.join(" ");
    case "refused": {
      // Why only the errno where there is one: the verdict has the sentence, once.
      const errno = /\((E[A-Z0-9]+): /.exec(outcome.refusal.what)?.[1];
      return errno === undefined ? outcome.refusal.what : `refused: ${errno}`;
    }
    default:
      return unreachable(outcome);
  }
}

function printSettings(machine: Machine): string {
  const { privileges, uid } = machine;
  const { lockdown, unprivilegedBpfDisabled, perfEventParanoid, seccomp, initialUserNamespace } = privileges;
  const rows = [
    ["user", uid === 0 ? "root" : `uid ${uid}`, ""],
    [
      "user namespace",
      initialUserNamespace ? "initial" : "its own",
      initialUserNamespace ? "" : "capabilities held in it do not count for the kernel",
    ],
    [
      "pid namespace",
      machine.initialPidNamespace ? "initial" : "its own",
      machine.initialPidNamespace ? "" : "probes see the host's process ids",
    ],
    ...machine.relevantCapabilities.map((name) => [
      name,
      privileges.capabilities.has(name) ? "held" : "missing",
      privileges.capabilities.has(name) ? "" : neededFor(machine, name),
    ]),
    ["lockdown", lockdown ?? "unknown", lockdownMeaning(lockdown)],
    [
      "kernel.unprivileged_bpf_disabled",
      String(unprivilegedBpfDisabled ?? "unknown"),
      (unprivilegedBpfDisabled ?? 0) > 0 ? "eBPF needs CAP_BPF" : "",
    ],
    [
      "kernel.perf_event_paranoid",
      String(perfEventParanoid ?? "unknown"),
      (perfEventParanoid ?? 0) > 0 ? "watching all processes needs CAP_PERFMON" : "",
    ],
    ["seccomp", seccompWord(seccomp), seccomp === 2 ? "may refuse what the kernel would allow" : ""],
  ];
  return printTable([["PRIVILEGE", "VALUE", "MEANING"], ...rows]);
}

function neededFor({ steps }: Machine, capability: string): string {
  const names = steps
    .filter(({ outcome }) => outcome.kind === "capabilities" && outcome.missing.includes(capability))
    .map(({ name }) => name);
  return names.length === 0 ? "nothing needs it here" : `needed to ${listWords(names)}`;
}

function lockdownMeaning(lockdown: string | undefined): string {
  if (lockdown === undefined) return "/sys/kernel/security is not mounted, or this kernel has none";
  return lockdown === "confidentiality" ? "no kernel memory is read: %K, --children" : "";
}

function seccompWord(seccomp: number | undefined): string {
  return ["none", "strict", "a filter"][seccomp ?? -1] ?? "unknown";
}

function printAvailability(availability: Availability): string {
  switch (availability) {
    case "yes":
    case "no":
      return availability;
    case "not permitted":
      return "?";
    default:
      return unreachable(availability);
  }
}

function printVerdict({ tracing, way, causes, abilities, remedies }: Verdict): string {
  const remedyLines = remedies.map(
    ({ where, line }) => `  fix${where === undefined ? "" : `, ${where}`}: ${line}`,
  );
  if (!tracing) {
    const lines = [
      "VERDICT: uscope trace does not work here.",
      ...causes.flatMap(({ what, at }) => [`  why: ${what}`, ...(at === undefined ? [] : [`  at: ${at}`])]),
      ...remedyLines,
      "  still works: uscope list, on files that this user may read",
    ];
    return `${lines.join("\n")}\n`;
  }
  const how = way === "uprobe_multi" ? "uprobe_multi" : "the uprobe PMU, one place after the other";
  const rows = abilities.map(({ what, obstacle }) => [
    `  ${obstacle === undefined ? "yes" : "no"}`,
    what,
    obstacle === undefined ? "" : `why: ${obstacle}`,
  ]);
  const all = remedies.length === 0 ? ", with all that it can do" : "";
  return `VERDICT: uscope trace works here${all}; it attaches by ${how}.\n${printTable(rows)}${remedyLines.map((line) => `${line}\n`).join("")}`;
}

/** Pads every column but the last to its widest cell. */
function printTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}

function toJson(machine: Machine, verdict: Verdict): unknown {
  const { kernel, features, steps, privileges, broken } = machine;
  return {
    tracing: verdict.tracing,
    way: verdict.way,
    causes: verdict.causes.map(({ what, at }) => ({ what, at: at ?? null })),
    fixes: verdict.remedies.map(({ where, line }) => ({ where: where ?? null, line })),
    kernel,
    node: machine.node,
    broken: broken === undefined ? null : { what: broken.what, at: broken.at, fix: broken.fix },
    features: features.map(({ name, since, availability, usedFor }) => ({
      name,
      since,
      here: availability,
      used_for: usedFor,
    })),
    steps: steps.map(({ name, outcome, usedFor }) => ({
      name,
      works: outcome.kind === "worked",
      missing_capabilities: outcome.kind === "capabilities" ? outcome.missing : [],
      refusal: "refusal" in outcome ? outcome.refusal : null,
      used_for: usedFor,
    })),
    abilities: verdict.abilities.map(({ what, obstacle }) => {
      return { what, works: obstacle === undefined, why: obstacle ?? null };
    }),
    privileges: {
      uid: machine.uid,
      initial_pid_namespace: machine.initialPidNamespace,
      initial_user_namespace: privileges.initialUserNamespace,
      capabilities: [...privileges.capabilities],
      lockdown: privileges.lockdown ?? null,
      unprivileged_bpf_disabled: privileges.unprivilegedBpfDisabled ?? null,
      perf_event_paranoid: privileges.perfEventParanoid ?? null,
      seccomp: privileges.seccomp ?? null,
    },
  };
}
