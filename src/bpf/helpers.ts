/**
 * Owns the table of the kernel's helpers that a uprobe program may want: number, first kernel, where it may be called.
 * Does not own their arguments: the compiler knows them where it emits the call.
 */

export interface Helper {
  /** The number in a call's immediate. Spec: enum bpf_func_id in linux/bpf.h; numbers never change. */
  readonly id: number;
  /** The first kernel on which a uprobe program may call it. */
  readonly since: string;
  /** In which programs. Verifier: a helper that may sleep is refused outside of sleepable programs. */
  readonly allowed: "everywhere" | "sleepable-only" | "not-sleepable";
}

export type HelperName = keyof typeof helpers;

// Kernel: kprobe_prog_func_proto() and bpf_tracing_func_proto() in kernel/trace/bpf_trace.c, bpf_base_func_proto() in
// kernel/bpf/helpers.c. Sleepable programs may not use perf-event arrays and stack-trace maps
// (check_map_prog_compatibility() in kernel/bpf/verifier.c), so what needs such a map is not for them.
export const helpers = {
  map_lookup_elem: { id: 1, since: "4.1", allowed: "everywhere" },
  map_update_elem: { id: 2, since: "4.1", allowed: "everywhere" },
  map_delete_elem: { id: 3, since: "4.1", allowed: "everywhere" },
  ktime_get_ns: { id: 5, since: "4.1", allowed: "everywhere" },
  trace_printk: { id: 6, since: "4.1", allowed: "everywhere" },
  get_prandom_u32: { id: 7, since: "4.11", allowed: "everywhere" },
  get_smp_processor_id: { id: 8, since: "4.1", allowed: "everywhere" },
  tail_call: { id: 12, since: "4.2", allowed: "not-sleepable" },
  get_current_pid_tgid: { id: 14, since: "4.2", allowed: "everywhere" },
  get_current_uid_gid: { id: 15, since: "4.2", allowed: "everywhere" },
  get_current_comm: { id: 16, since: "4.2", allowed: "everywhere" },
  perf_event_output: { id: 25, since: "4.4", allowed: "not-sleepable" },
  get_stackid: { id: 27, since: "4.6", allowed: "not-sleepable" },
  get_current_task: { id: 35, since: "4.8", allowed: "everywhere" },
  get_numa_node_id: { id: 42, since: "4.10", allowed: "everywhere" },
  get_stack: { id: 67, since: "4.18", allowed: "everywhere" },
  get_current_cgroup_id: { id: 80, since: "4.18", allowed: "everywhere" },
  probe_read_user: { id: 112, since: "5.5", allowed: "everywhere" },
  probe_read_kernel: { id: 113, since: "5.5", allowed: "everywhere" },
  probe_read_user_str: { id: 114, since: "5.5", allowed: "everywhere" },
  probe_read_kernel_str: { id: 115, since: "5.5", allowed: "everywhere" },
  jiffies64: { id: 118, since: "5.6", allowed: "everywhere" },
  get_ns_current_pid_tgid: { id: 120, since: "5.7", allowed: "everywhere" },
  get_current_ancestor_cgroup_id: { id: 123, since: "5.15", allowed: "everywhere" },
  ktime_get_boot_ns: { id: 125, since: "5.8", allowed: "everywhere" },
  ringbuf_output: { id: 130, since: "5.8", allowed: "everywhere" },
  ringbuf_reserve: { id: 131, since: "5.8", allowed: "everywhere" },
  ringbuf_submit: { id: 132, since: "5.8", allowed: "everywhere" },
  ringbuf_discard: { id: 133, since: "5.8", allowed: "everywhere" },
  ringbuf_query: { id: 134, since: "5.8", allowed: "everywhere" },
  // Kernel: both are older, but only sleepable programs may call them, and uprobe programs sleep since 6.0.
  copy_from_user: { id: 148, since: "6.0", allowed: "sleepable-only" },
  get_current_task_btf: { id: 158, since: "5.11", allowed: "everywhere" },
  get_func_ip: { id: 173, since: "5.15", allowed: "everywhere" },
  get_attach_cookie: { id: 174, since: "5.15", allowed: "everywhere" },
  task_pt_regs: { id: 175, since: "5.15", allowed: "everywhere" },
  loop: { id: 181, since: "5.17", allowed: "everywhere" },
  strncmp: { id: 182, since: "5.17", allowed: "everywhere" },
  copy_from_user_task: { id: 191, since: "6.0", allowed: "sleepable-only" },
  map_lookup_percpu_elem: { id: 195, since: "5.19", allowed: "everywhere" },
  ktime_get_tai_ns: { id: 208, since: "6.1", allowed: "everywhere" },
} as const satisfies Record<string, Helper>;

/** Finds a helper's name by its number, as the kernel writes it: `bpf_` and the name. */
export function findHelperName(id: number): string | undefined {
  const found = Object.entries(helpers).find(([, helper]) => helper.id === id);
  return found === undefined ? undefined : `bpf_${found[0]}`;
}
