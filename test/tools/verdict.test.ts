import { expect, test } from "vitest";
import { purposes } from "../../src/kernel/privileges.js";
import { features } from "../../src/kernel/features.js";
import { judge } from "../../src/tools/verdict.js";
import type { FeatureName, FeatureReport, Machine, Outcome, StepName } from "../../src/trace/machine.js";

// Other kernels than this one, as data: what `judge` makes of a real machine is tested through the command line.

interface Variation {
  readonly release: string;
  readonly lacks?: readonly FeatureName[];
  readonly outcomes?: Partial<Record<StepName, Outcome>>;
  readonly capabilities?: readonly string[];
}

const refusal = { what: "no", at: "here", fix: "do it" };
const lacking = (...missing: string[]): Outcome => ({ kind: "capabilities", missing, refusal });

function machineOf({ release, lacks = [], outcomes = {}, capabilities = [] }: Variation): Machine {
  const reports = Object.entries(features).map(([name, { since, usedFor }]): FeatureReport => {
    const isHere = !lacks.includes(name as FeatureName);
    return { name: name as FeatureName, since, usedFor, availability: isHere ? "yes" : "no" };
  });
  const steps = (Object.keys(purposes) as StepName[]).map((name) => {
    return { name, usedFor: "", outcome: outcomes[name] ?? ({ kind: "worked" } as const) };
  });
  return {
    kernel: { release, architecture: "x86_64" },
    node: "v20.0.0",
    uid: 0,
    initialPidNamespace: true,
    broken: undefined,
    features: reports,
    steps,
    privileges: {
      capabilities: new Set(capabilities),
      initialUserNamespace: true,
      lockdown: undefined,
      unprivilegedBpfDisabled: 2,
      perfEventParanoid: 2,
      seccomp: 0,
    },
    relevantCapabilities: ["CAP_BPF", "CAP_PERFMON", "CAP_SYS_ADMIN"],
  };
}

/** As a process sees it that may not ask. */
function hidden(release: string): Machine {
  const machine = machineOf({ release });
  return {
    ...machine,
    features: machine.features.map((feature) => ({ ...feature, availability: "not permitted" })),
  };
}

const noMulti: Outcome = {
  kind: "no feature",
  feature: { name: "uprobe_multi", since: "6.6", usedFor: "", availability: "no" },
};

test("a kernel without uprobe_multi traces through the PMU, and says what would be quicker", () => {
  const verdict = judge(
    machineOf({
      release: "6.1.0-44-amd64",
      lacks: ["uprobe_multi"],
      outcomes: { "attach by uprobe_multi": noMulti },
    }),
  );
  expect(verdict).toMatchObject({ tracing: true, way: "pmu", causes: [] });
  expect(verdict.abilities.filter(({ obstacle }) => obstacle !== undefined)).toEqual([
    { what: "thousands of places by one pattern", obstacle: "this kernel has no uprobe_multi" },
  ]);
  expect(verdict.remedies).toEqual([{ where: undefined, line: "boot Linux 6.6 or later" }]);
});

test("there CAP_BPF and CAP_PERFMON do not suffice, and the advice keeps them", () => {
  const verdict = judge(
    machineOf({
      release: "6.1.0-44-amd64",
      lacks: ["uprobe_multi"],
      outcomes: {
        "attach by uprobe_multi": noMulti,
        "attach by the uprobe PMU": lacking("CAP_SYS_ADMIN"),
      },
      capabilities: ["CAP_BPF", "CAP_PERFMON"],
    }),
  );
  expect(verdict.tracing).toBe(false);
  expect(verdict.causes).toEqual([{ what: "this process lacks CAP_SYS_ADMIN", at: undefined }]);
  expect(verdict.remedies.find(({ where }) => where === "service")!.line).toBe(
    "AmbientCapabilities=CAP_BPF CAP_PERFMON CAP_SYS_ADMIN",
  );
});

test("a kernel that is too old is the cause, with the version that it takes", () => {
  const lacks: FeatureName[] = ["ring buffer", "attach cookie", "perf_event links", "uprobe_multi"];
  const verdict = judge(
    machineOf({
      release: "5.4.0-150-generic",
      lacks,
      outcomes: {
        "attach by uprobe_multi": noMulti,
        "create maps": { kind: "refused", refusal },
        "load programs": { kind: "refused", refusal },
      },
    }),
  );
  expect(verdict.tracing).toBe(false);
  expect(verdict.causes.map(({ what }) => what)).toEqual([
    "this kernel has no ring buffer",
    "this kernel has no attach cookie",
    "this kernel has no perf_event links",
  ]);
  expect(verdict.remedies.map(({ line }) => line)).toEqual([
    "boot Linux 5.8 or later",
    "boot Linux 5.15 or later",
  ]);
});

test("a new kernel that was built without something is not called too old", () => {
  const { tracing, remedies } = judge(machineOf({ release: "6.18.0", lacks: ["BTF"] }));
  expect(tracing).toBe(true);
  expect(remedies[0]!.line).toMatch(/^see that \/sys is mounted, or boot a kernel that was built with it/);
});

test("where the kernel may not be asked, its release tells the way", () => {
  expect(judge(hidden("6.6.0")).way).toBe("uprobe_multi");
  expect(judge(hidden("6.5.13")).way).toBe("pmu");
  expect(judge(hidden("10.0.0")).way).toBe("uprobe_multi");
});
