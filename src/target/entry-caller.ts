/**
 * Owns whether a user stack that the kernel walks lacks the direct caller, site by site: at an entry it stands in no frame yet.
 * Does not own where the return address lies (calling-convention.ts) nor putting it in (trace/events.ts).
 */
import type { CallerRule } from "../lang/target.js";
import { CodeReader } from "./code.js";
import { hasKernelFunction } from "./kallsyms.js";
import { readKernelVersion } from "./kernel-version.js";
import type { KernelVersion } from "./kernel-version.js";
import type { Site } from "./site.js";

/**
 * Returns what is to be done at each site.
 * Kernel: is_uprobe_at_func_entry (arch/x86, since 6.12) takes a probe on `push %rbp`, and where the kernel was built with
 * CONFIG_X86_KERNEL_IBT one on `endbr64`, for an entry, and then puts the return address behind the first frame itself.
 */
export function findCallerRules(
  sites: readonly Site[],
  kernel: Pick<KernelVersion, "major" | "minor"> = readKernelVersion(),
): CallerRule[] {
  const isOld = kernel.major < 6 || (kernel.major === 6 && kernel.minor < 12);
  let endbrRule: CallerRule | undefined;
  let reader: CodeReader | undefined;
  let binary: Site["binary"] | undefined;
  return sites.map((site): CallerRule => {
    // Why: the layout has a return address only for markers that begin a function, and no marker is what the kernel knows.
    if (site.role === "marker") return "missing";
    if (site.role !== "entry") return "complete";
    if (isOld || site.binary.elf.machine === "arm64") return "missing";
    if (reader === undefined || binary !== site.binary) {
      binary = site.binary;
      reader = new CodeReader(binary);
    }
    const bytes = reader.read(site.address, 4);
    if (bytes[0] === pushFrame) return "complete";
    return isEndbr(bytes) ? (endbrRule ??= readEndbrRule()) : "missing";
  });
}

const pushFrame = 0x55;

/** Spec: f3 0f 1e fa is endbr64, f3 0f 1e fb is endbr32; the kernel takes both. */
function isEndbr([first, second, third, fourth]: Uint8Array): boolean {
  return first === 0xf3 && second === 0x0f && third === 0x1e && (fourth === 0xfa || fourth === 0xfb);
}

/** Kernel: ibt_save is a function of its own only with CONFIG_X86_KERNEL_IBT; without it is_endbr() is false. */
function readEndbrRule(): CallerRule {
  const knows = hasKernelFunction("ibt_save");
  return knows === undefined ? "compare" : knows ? "complete" : "missing";
}
