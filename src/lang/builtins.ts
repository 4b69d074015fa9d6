/**
 * Owns the table of names that mean the same in every probe: who runs, where and when.
 * Does not own arguments and return values, which depend on the target.
 */
import type { HelperName } from "../bpf/helpers.js";
import { u32, u64 } from "./types.js";
import type { IntegerType, TextType } from "./types.js";

export interface Builtin {
  readonly name: string;
  readonly helper: HelperName;
  /** Which part of the helper's 64 bits it is; "text" is what the helper writes into memory. */
  readonly part: "low" | "high" | "whole" | "text";
  readonly type: IntegerType | TextType;
  readonly about: string;
}

// Kernel: bpf_get_current_pid_tgid() is tgid << 32 | pid and bpf_get_current_uid_gid() is gid << 32 | uid. What the kernel
// calls pid is a thread. BCC's names with "$" speak as the kernel does, the plain names as people do.
export const builtins: readonly Builtin[] = [
  { name: "pid", helper: "get_current_pid_tgid", part: "high", type: u32, about: "process" },
  { name: "tid", helper: "get_current_pid_tgid", part: "low", type: u32, about: "thread" },
  { name: "uid", helper: "get_current_uid_gid", part: "low", type: u32, about: "user" },
  { name: "gid", helper: "get_current_uid_gid", part: "high", type: u32, about: "group" },
  { name: "cpu", helper: "get_smp_processor_id", part: "low", type: u32, about: "processor" },
  {
    name: "comm",
    helper: "get_current_comm",
    part: "text",
    type: { kind: "text", bytes: 15 },
    about: "name of the thread",
  },
  {
    name: "nsecs",
    helper: "ktime_get_ns",
    part: "whole",
    type: u64,
    about: "nanoseconds since boot at the hit (CLOCK_MONOTONIC)",
  },
  { name: "$pid", helper: "get_current_pid_tgid", part: "low", type: u32, about: "thread, as in BCC" },
  { name: "$tgid", helper: "get_current_pid_tgid", part: "high", type: u32, about: "process, as in BCC" },
  { name: "$uid", helper: "get_current_uid_gid", part: "low", type: u32, about: "user" },
  { name: "$gid", helper: "get_current_uid_gid", part: "high", type: u32, about: "group" },
  { name: "$cpu", helper: "get_smp_processor_id", part: "low", type: u32, about: "processor" },
];

export function findBuiltin(name: string): Builtin | undefined {
  return builtins.find((builtin) => builtin.name === name);
}
