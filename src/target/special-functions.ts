/**
 * Owns the functions that do more with their return address than return to it, or have none: what a replaced one would do.
 * Does not own functions that are passed by exceptions or by switches of stacks: see hazards.ts.
 */
import type { Binary } from "./binary.js";
import type { FunctionMatch } from "./functions.js";
import type { Hazard } from "./hazards.js";

/** What a person can do where the kernel's return probes would do harm. */
export const entryInstead =
  "probe its entry (p:); --force uretprobe arms it all the same, at the program's risk";

/** Finds what a return probe on this function would break because of what the function itself does. */
export function findSpecialHazard({ elf }: Binary, { address, names }: FunctionMatch): Hazard | undefined {
  if (address === elf.entry) return noReturnAddress;
  // Why one pattern first: of 78,000 functions hardly one is meant.
  if (!names.some((name) => anyName.test(name))) return undefined;
  return rows.find((row) => names.some((name) => row.names.test(name)))!.hazard;
}

const savedReturn: Hazard = {
  name: "saved-return",
  reason:
    "it keeps its return address for a later jump, which would go to the kernel's, used up by then: the program would die",
  alternative: entryInstead,
};
const unwound: Hazard = {
  name: "exceptions",
  reason:
    "an unwinder starts at its return address, and the kernel's leads nowhere: the program would be ended, or not cleaned up",
  alternative: entryInstead,
};
/** Also of lazy binding, and of pieces that no symbol names: the unwind table knows them. */
export const noReturnAddress: Hazard = {
  name: "no-return-address",
  reason:
    "it is not called, and what lies on top of its stack is no return address: the program would read the kernel's there",
  alternative: entryInstead,
};
const asksForCaller: Hazard = {
  name: "asks-for-caller",
  reason:
    "it looks at its return address to know which file asks, and the kernel's belongs to none: RTLD_NEXT, and libraries of its RUNPATH, would not be found",
  alternative: entryInstead,
};
const walked: Hazard = {
  name: "walked-stack",
  reason:
    "V8 finds its way through its own code by return addresses, for garbage and errors, and the kernel's leads nowhere: the program would die",
  alternative: entryInstead,
};

/**
 * `GI` stands in what glibc calls its own functions from inside.
 * Measured: Linux 6.18, glibc 2.36, gcc 12 (test/cli/returns.test.ts). As their sources say: musl, Rust, split and shadow stacks.
 * Why not longjmp, setcontext, vfork: the kernel drops, by the stack pointer, what they leave behind, and copies for children.
 */
const rows: readonly { readonly names: RegExp; readonly hazard: Hazard }[] = [
  { names: /^_*(?:GI_+)?(?:sig)?setjmp$/, hazard: savedReturn },
  { names: /^_*(?:GI_+)?(?:get|swap)context$/, hazard: savedReturn },
  { names: /^__cxa_(?:(?:re)?throw|bad_cast|bad_typeid)$/, hazard: unwound },
  { names: /^__cxa_throw_bad_array(?:_new)?_length$/, hazard: unwound },
  {
    names: /^_Unwind_(?:RaiseException|Resume|Resume_or_Rethrow|ForcedUnwind|Backtrace)$/,
    hazard: unwound,
  },
  { names: /^uw_init_context(?:_1)?$/, hazard: unwound },
  { names: /^_*(?:GI_+)?backtrace$/, hazard: unwound },
  { names: /^_*(?:GI_+)?pthread_(?:exit|testcancel|unwind|unwind_next)$/, hazard: unwound },
  { names: /^sigcancel_handler$/, hazard: unwound },
  { names: /^_*rust_(?:start_panic|panic|begin_unwind)$/, hazard: unwound },
  // Spec: ELF's entry finds argc there, a signal's way back its saved context, PLT0's lazy binding two words of its own.
  { names: /^(?:_start|_dl_start_user|__restore_rt)$/, hazard: noReturnAddress },
  { names: /^_dl_runtime_(?:resolve|profile)/, hazard: noReturnAddress },
  { names: /^__(?:push___)?start_context$/, hazard: noReturnAddress },
  { names: /^__morestack(?:_non_split)?$/, hazard: noReturnAddress },
  // Measured: Node.js 20: SIGSEGV at the first garbage collection or Error under one of its 2,182.
  { names: /^Builtins_/, hazard: walked },
  { names: /^_*(?:GI_+)?dl(?:m?open|v?sym)$/, hazard: asksForCaller },
];
const anyName = new RegExp(rows.map(({ names }) => names.source).join("|"));
