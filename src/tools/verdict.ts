/**
 * Owns what a machine's features and privileges mean for a person: what would work, what would not, and how to get it.
 * Does not own how they are found out (trace/machine.ts) nor the page that shows them (doctor.ts).
 */
import { assert, unreachable } from "../base/assert.js";
import { isAtLeast } from "../trace/machine.js";
import type { FeatureName, FeatureReport, Machine, Outcome, StepName } from "../trace/machine.js";

/** One thing that a trace can do beyond its ground. */
export interface Ability {
  readonly what: string;
  /** Why it does not work; undefined when it does. */
  readonly obstacle: string | undefined;
}

/** What to do, and in which case ("as root", "container"); undefined: in any. */
export interface Remedy {
  readonly where: string | undefined;
  readonly line: string;
}

/** What stands in the way of tracing; `at` where that is a call or a file. */
export interface Cause {
  readonly what: string;
  readonly at: string | undefined;
}

export interface Verdict {
  /** All works that `uscope trace` cannot do without. */
  readonly tracing: boolean;
  /** How places are armed here, or would be: by one link, or one by one. */
  readonly way: "uprobe_multi" | "pmu";
  /** [] when tracing works. */
  readonly causes: readonly Cause[];
  /** [] where tracing does not work: then nothing does. */
  readonly abilities: readonly Ability[];
  /** How to get what is missing: for tracing, or when that works, for the abilities. */
  readonly remedies: readonly Remedy[];
}

/** Judges a machine. */
export function judge(machine: Machine): Verdict {
  const { broken } = machine;
  const way = wayOf(machine);
  if (broken !== undefined) {
    const remedies = [{ where: undefined, line: broken.fix }];
    return { tracing: false, way, causes: [{ what: broken.what, at: broken.at }], abilities: [], remedies };
  }
  const hurdles = findHurdles(machine, needsOf(way));
  if (hurdles.length > 0) {
    const causes = hurdles.map((hurdle) => {
      return {
        what: explain(machine, hurdle),
        at: hurdle.kind === "refused" ? hurdle.refusal.at : undefined,
      };
    });
    return { tracing: false, way, causes, abilities: [], remedies: findRemedies(machine, hurdles) };
  }
  const judged = abilities.map(({ what, on }) => ({ what, hurdle: findHurdle(machine, on) }));
  const beyond = mergeCapabilities(judged.flatMap(({ hurdle }) => (hurdle === undefined ? [] : [hurdle])));
  return {
    tracing: true,
    way,
    causes: [],
    abilities: judged.map(({ what, hurdle }) => {
      return { what, obstacle: hurdle === undefined ? undefined : explain(machine, hurdle) };
    }),
    remedies: findRemedies(machine, beyond),
  };
}

/** Joins words as a sentence does: "a", "a and b", "a, b and c". */
export function listWords(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)!}`;
}

type Need = FeatureName | StepName | "initial pid namespace";

const abilities: readonly { readonly what: string; readonly on: Need }[] = [
  { what: "thousands of places by one pattern", on: "attach by uprobe_multi" },
  { what: "-p PID, -L TID, -- COMMAND", on: "initial pid namespace" },
  { what: "-p and -U on processes of other users", on: "look into processes of other users" },
  { what: "text in memory that was not touched yet", on: "sleepable programs" },
  { what: "-U together with text", on: "stacks in sleepable programs" },
  { what: "%K with names", on: "read kernel symbols" },
  { what: "-c CGROUP", on: "cgroup filter" },
  { what: "--children", on: "BTF" },
  { what: "--attach pmu", on: "attach by the uprobe PMU" },
];

/** Why the release too: where the kernel may not be asked, its age is the best guess of the way that a trace would take. */
function wayOf({ features, kernel }: Machine): Verdict["way"] {
  const known = features.find(({ name }) => name === "uprobe_multi")?.availability ?? "not permitted";
  const isHere = known === "not permitted" ? isAtLeast(kernel.release, "6.6") : known === "yes";
  return isHere ? "uprobe_multi" : "pmu";
}

function needsOf(way: Verdict["way"]): Need[] {
  const kernel: Need[] = ["ring buffer", "attach cookie"];
  const steps: Need[] = ["create maps", "load programs"];
  return way === "uprobe_multi"
    ? [...kernel, ...steps, "attach by uprobe_multi"]
    : [...kernel, "uprobe PMU", "perf_event links", ...steps, "attach by the uprobe PMU"];
}

/** What stands in the way of one thing. */
type Hurdle =
  | Exclude<Outcome, { readonly kind: "worked" }>
  | { readonly kind: "not known" }
  | { readonly kind: "pid namespace" };

/**
 * Finds what stands in the way, kernel first. Why not all of it: each thing stands on those before it, so that only
 * capabilities are worth a full list; a refusal in other words comes again with every later step.
 */
function findHurdles(machine: Machine, needs: readonly Need[]): Hurdle[] {
  const found = needs
    .map((need) => findHurdle(machine, need))
    .filter((hurdle) => hurdle !== undefined)
    .filter(({ kind }) => kind !== "not known");
  const certain = found.filter(({ kind }) => kind !== "refused");
  return certain.length > 0 ? mergeCapabilities(certain) : found.slice(0, 1);
}

function findHurdle(machine: Machine, need: Need): Hurdle | undefined {
  if (need === "initial pid namespace")
    return machine.initialPidNamespace ? undefined : { kind: "pid namespace" };
  const feature = machine.features.find(({ name }) => name === need);
  if (feature !== undefined) {
    if (feature.availability === "yes") return undefined;
    return feature.availability === "no" ? { kind: "no feature", feature } : { kind: "not known" };
  }
  const outcome = machine.steps.find(({ name }) => name === need)?.outcome;
  assert(outcome, `"${need}" is no feature and no step`);
  return outcome.kind === "worked" ? undefined : outcome;
}

/** Makes one hurdle of all that capabilities would take away. */
function mergeCapabilities(hurdles: readonly Hurdle[]): Hurdle[] {
  const lacking = hurdles.filter((hurdle) => hurdle.kind === "capabilities");
  const others = hurdles.filter(({ kind }) => kind !== "capabilities");
  const first = lacking[0];
  if (first === undefined) return others;
  return [...others, { ...first, missing: unique(lacking.flatMap(({ missing }) => missing)) }];
}

function explain({ privileges }: Machine, hurdle: Hurdle): string {
  switch (hurdle.kind) {
    case "no feature":
      return `this kernel has no ${hurdle.feature.name}`;
    case "capabilities":
      return privileges.initialUserNamespace
        ? `this process lacks ${listWords(hurdle.missing)}`
        : `this process lives in a user namespace of its own, and holds no ${listWords(hurdle.missing)} outside of it`;
    case "refused":
      return privileges.seccomp === 2
        ? `${hurdle.refusal.what}; a seccomp filter watches this process and may be what refuses`
        : hurdle.refusal.what;
    case "not known":
      return "this process may not ask the kernel for it";
    case "pid namespace":
      return "this process lives in a pid namespace of its own, and probes see the host's process ids";
    default:
      return unreachable(hurdle);
  }
}

function findRemedies(machine: Machine, hurdles: readonly Hurdle[]): Remedy[] {
  const remedies = hurdles.flatMap((hurdle) => remediesOf(machine, hurdle));
  return [...new Map(remedies.map((remedy) => [JSON.stringify(remedy), remedy])).values()];
}

function remediesOf(machine: Machine, hurdle: Hurdle): Remedy[] {
  const { kernel, privileges } = machine;
  switch (hurdle.kind) {
    case "no feature":
      return [{ where: undefined, line: kernelRemedy(kernel.release, hurdle.feature) }];
    case "capabilities":
      return privileges.initialUserNamespace
        ? capabilityRemedies(machine, hurdle.missing)
        : namespaceRemedies;
    case "refused":
      return [
        { where: undefined, line: hurdle.refusal.fix },
        ...(privileges.seccomp === 2 ? [unconfined] : []),
      ];
    case "not known":
      return [];
    case "pid namespace":
      return [{ where: "container", line: "docker run --pid=host ..." }];
    default:
      return unreachable(hurdle);
  }
}

const unconfined: Remedy = {
  where: "container",
  line: "docker run --security-opt seccomp=unconfined ...",
};

const namespaceRemedies: Remedy[] = [
  { where: "as root", line: "on the host itself: sudo uscope trace ..." },
  { where: "container", line: "docker run --privileged --pid=host --userns=host ..." },
];

function capabilityRemedies(
  { relevantCapabilities, privileges }: Machine,
  missing: readonly string[],
): Remedy[] {
  // Why those that are held too: each of these ways begins with none.
  const wanted = relevantCapabilities.filter(
    (name) => missing.includes(name) || privileges.capabilities.has(name),
  );
  const names = wanted.map((name) => name.replace("CAP_", ""));
  const set = names.map((name) => `+${name.toLowerCase()}`).join(",");
  return [
    { where: "as root", line: "sudo uscope trace ..." },
    {
      where: "as yourself",
      line: `sudo setpriv --reuid $(id -u) --regid $(id -g) --init-groups --inh-caps ${set} --ambient-caps ${set} uscope trace ...`,
    },
    {
      where: "container",
      line: `docker run --pid=host ${names.map((name) => `--cap-add ${name}`).join(" ")} ...`,
    },
    { where: "service", line: `AmbientCapabilities=${wanted.join(" ")}` },
  ];
}

function kernelRemedy(release: string, { name, since }: FeatureReport): string {
  if (!isAtLeast(release, since)) return `boot Linux ${since} or later`;
  // Why /sys: BTF and the uprobe PMU are found there, and it may not be mounted.
  const isInSys = name === "BTF" || name === "uprobe PMU" || name === "perf_event links";
  return `${isInSys ? "see that /sys is mounted, or " : ""}boot a kernel that was built with it: Linux ${since} and later can be`;
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)];
}
