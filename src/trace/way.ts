/**
 * Owns by which way places are armed: what was asked for, what the kernel knows, and how many are too many for the slower way.
 * Does not own arming them (kernel/uprobes.ts), nor the programs that each way wants (session.ts).
 */
import { UnsupportedError } from "../base/errors.js";
import { attachMulti, attachPmu, knowsUprobeMulti } from "../kernel/uprobes.js";

export type AttachWay = "uprobe_multi" | "pmu";

/** The ways of a kernel. */
export interface KernelWays {
  readonly knowsUprobeMulti: typeof knowsUprobeMulti;
  readonly attachMulti: typeof attachMulti;
  readonly attachPmu: typeof attachPmu;
}

/** The ways of the kernel that runs here. */
export const thisKernel: KernelWays = { knowsUprobeMulti, attachMulti, attachPmu };

/** Chooses the way: the one that was asked for, else uprobe_multi unless the kernel is known to lack it. */
export function chooseWay(asked: AttachWay | undefined, kernel: KernelWays): AttachWay {
  return asked ?? (kernel.knowsUprobeMulti() === false ? "pmu" : "uprobe_multi");
}

/** Places through the PMU at most. Measured on 6.18: 0.1 s a place to disarm, so these take most of a minute. */
const mostPmuPlaces = 500;
/** From so many on the wait is worth a word. */
const notablePmuPlaces = 30;
const pmuSecondsPerPlace = 0.1;

/**
 * Says what a person should know of so many places through the PMU, or undefined. Throws an UnsupportedError where they are
 * too many: the kernel disarms them one by one, and uscope cannot be ended meanwhile.
 */
export function weighPmu(places: number, kernel: KernelWays): string | undefined {
  const seconds = Math.ceil(places * pmuSecondsPerPlace);
  if (places > mostPmuPlaces) {
    throw new UnsupportedError({
      what: `${places} places are too many for the uprobe PMU, at most ${mostPmuPlaces}: letting go of them would take about ${seconds} s`,
      at: "attaching through the uprobe PMU, each place in each process by itself",
      fix:
        kernel.knowsUprobeMulti() === true
          ? "leave --attach pmu out: this kernel has uprobe_multi"
          : "name fewer functions or processes, or boot Linux 6.6 or later, which has uprobe_multi",
    });
  }
  if (places < notablePmuPlaces) return undefined;
  return `places through the uprobe PMU are disarmed one by one: ending may take about ${seconds} s`;
}
