import { describe, expect, test } from "vitest";
import { UnsupportedError } from "../../src/base/errors.js";
import { NoMultiLinksError } from "../../src/kernel/uprobes.js";
import { arm } from "../../src/trace/arm.js";
import type { ArmRequest } from "../../src/trace/arm.js";
import { chooseWay, thisKernel, weighPmu } from "../../src/trace/way.js";
import type { KernelWays } from "../../src/trace/way.js";
import { needs, settledCounts } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const victim = compile("victim.c", ["-O2", "-g"]);

/** A kernel before 6.6 that answers when it is asked. */
const older: KernelWays = {
  ...thisKernel,
  knowsUprobeMulti: () => false,
  attachMulti: () => {
    throw new Error("a link was asked for that this kernel does not know");
  },
};

/** One that may not be asked beforehand. */
const silent: KernelWays = {
  ...thisKernel,
  knowsUprobeMulti: () => undefined,
  attachMulti: ({ program }) => {
    expect(program.multi).toBe(true);
    throw new NoMultiLinksError({ what: "no uprobe_multi links", at: "the test", fix: "the PMU" });
  },
};

/** Traces a command from its first call to its end. */
async function countEvents(request: Partial<ArmRequest>): Promise<{ way: string; events: number }> {
  await using armed = await arm({
    probes: [`${victim}:result`],
    command: [victim, "50"],
    ...request,
  });
  let events = 0;
  await armed.run({
    signal: new AbortController().signal,
    onEvent: () => void events++,
  });
  return { way: armed.armed.way, events };
}

describe.runIf(needs("uprobe_multi", "perf_event links"))("places are armed", () => {
  test("through the uprobe PMU where the kernel does not know uprobe_multi", async () => {
    expect(await countEvents({ kernel: older })).toMatchObject({ way: "pmu", events: 50 });
  });

  test("through the uprobe PMU where that comes out only when a link is made", async () => {
    expect(await countEvents({ kernel: silent })).toMatchObject({ way: "pmu", events: 50 });
    expect(await settledCounts({ programs: 0, links: 0 }, "result")).toEqual({ programs: 0, links: 0 });
  });

  test("by uprobe_multi otherwise", async () => {
    expect(await countEvents({})).toMatchObject({ way: "uprobe_multi", events: 50 });
  });

  test("not at all where a person insists on the way that is not there", async () => {
    await expect(countEvents({ kernel: silent, attach: "uprobe_multi" })).rejects.toThrow(NoMultiLinksError);
    expect(await settledCounts({ programs: 0, links: 0 }, "result")).toEqual({ programs: 0, links: 0 });
  });
});

describe("many places through the PMU", () => {
  test("are refused before anything is armed, with what to do instead", async () => {
    const asked = arm({ probes: ["c:*"], attach: "pmu", pids: [] });
    await expect(asked).rejects.toThrow(UnsupportedError);
    await expect(asked).rejects.toThrow(
      /^\d{4} places are too many for the uprobe PMU, at most 500: letting go of them would take about \d{3} s\n {2}at: .*\n {2}fix: leave --attach pmu out/,
    );
    expect(() => weighPmu(501, older)).toThrow(/fix: name fewer functions or processes, or boot Linux 6\.6/);
  });

  test("are told of from some seconds on", () => {
    expect(weighPmu(29, thisKernel)).toBeUndefined();
    expect(weighPmu(200, thisKernel)).toMatch(/about 20 s/);
    expect(weighPmu(500, thisKernel)).toMatch(/about 50 s/);
  });

  test("do not matter to a way that was not chosen", () => {
    expect(chooseWay(undefined, older)).toBe("pmu");
    expect(chooseWay(undefined, silent)).toBe("uprobe_multi");
    expect(chooseWay("pmu", thisKernel)).toBe("pmu");
  });
});
