/**
 * Owns which CPUs this machine has, as the kernel lists them in /sys.
 * Does not own what is kept for each of them: per-CPU values are maps.ts, rings perf-events.ts.
 */
import { readFileSync } from "node:fs";
import { FormatError, UnsupportedError } from "../base/errors.js";

const folder = "/sys/devices/system/cpu";

/**
 * Returns the number of possible CPUs: of the parts that a per-CPU value has, which may be more than run now.
 * Kernel: num_possible_cpus() parts; a list with holes ("0-3,8-11") has fewer than its last number says.
 */
export function readPossibleCpus(): number {
  return readCpuList("possible").length;
}

/** Returns the numbers of the CPUs that run now. */
export function readOnlineCpus(): number[] {
  return readCpuList("online");
}

/** Spec: Documentation/admin-guide/cputopology.rst: numbers and ranges, "0-3,8". Kernel: CONFIG_NR_CPUS is 8192 at most. */
function readCpuList(name: "possible" | "online"): number[] {
  const path = `${folder}/${name}`;
  const text = readList(path).trim();
  if (!/^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$/.test(text)) {
    throw new FormatError({
      what: `the list of CPUs is not understood: ${JSON.stringify(text.slice(0, 80))}`,
      at: path,
      fix: "see that /sys is the kernel's own sysfs and not something else mounted there",
    });
  }
  return text.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  });
}

function readList(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new UnsupportedError(
      {
        what: `the list of CPUs cannot be read (${code})`,
        at: path,
        fix:
          code === "ENOENT"
            ? "mount -t sysfs sysfs /sys (in a container: share the host's /sys)"
            : "see that this process may read /sys: a container or a security module may hide it",
      },
      { cause: error },
    );
  }
}
