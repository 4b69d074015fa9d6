/**
 * Owns finding where the kernel keeps how many probed calls of a thread are open.
 * Does not own what is done with calls that are too deep (lang/span.ts).
 */
import { readKernelOffsets } from "../kernel/btf.js";
import type { DeepCalls } from "../lang/options.js";

/** Kernel: task_struct.utask (CONFIG_UPROBES) and uprobe_task.depth, since 3.5. Undefined where the kernel's types cannot be read. */
export function findDepth(): Omit<DeepCalls, "number"> | undefined {
  try {
    const { utask } = readKernelOffsets("task_struct", ["utask"]);
    return { utask, ...readKernelOffsets("uprobe_task", ["depth"]) };
  } catch {
    return undefined;
  }
}
