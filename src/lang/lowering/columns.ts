/**
 * Owns writing the optional columns of an event, which are its first fields: processor, name and user of the thread, and what it
 * and its process are called in their own pid namespace.
 * Does not own the author's fields (events.ts).
 */
import type { EventLayout } from "../event.js";
import type { Virtual } from "../ir.js";
import type { CompileOptions, NamespaceIds } from "../options.js";
import type { Builder } from "./builder.js";

/** Writes those that are wanted, in the order in which the event's layout has them. */
export function writeColumns(
  builder: Builder,
  record: Virtual,
  { fields }: EventLayout,
  { cpu, comm, uid, namespaceIds }: CompileOptions["columns"],
): void {
  let next = 0;
  const place = (): number => fields[next++]!.offset;
  if (cpu) builder.store(record, place(), 4, builder.callStable("get_smp_processor_id"));
  if (comm) writeName(builder, record, place());
  if (uid) builder.store(record, place(), 4, builder.callStable("get_current_uid_gid"));
  if (namespaceIds === undefined) return;
  const task = builder.copy(builder.call("get_current_task", []));
  const leader = readPointer(builder, task, namespaceIds.groupLeader);
  for (const thread of [leader, task])
    builder.store(record, place(), 4, readInnermostId(builder, thread, namespaceIds));
}

/**
 * Kernel: task->thread_pid leads to struct pid: its level, and numbers[level], a struct upid of 16 bytes that begins with the id.
 * A read that fails leaves zeros.
 */
function readInnermostId(
  builder: Builder,
  task: Virtual,
  { threadPid, level, numbers }: NamespaceIds,
): Virtual {
  const pid = readPointer(builder, task, threadPid);
  const depth = builder.compute("and", 64, readPointer(builder, pid, level), 0xffff_ffffn);
  const number = builder.compute("add", 64, pid, builder.compute("lsh", 64, depth, 4n));
  return readPointer(builder, number, numbers);
}

/** Reads 8 bytes of the kernel's memory. */
function readPointer(builder: Builder, base: Virtual, offset: number): Virtual {
  const slot = builder.slot(8);
  const from = builder.compute("add", 64, base, BigInt(offset));
  builder.run("probe_read_kernel", [{ address: slot, offset: 0 }, 8n, from]);
  return builder.copy(builder.load(slot, 0, 8));
}

/** Writes the name of the thread. */
export function writeName(builder: Builder, record: Virtual, offset: number): void {
  builder.run("get_current_comm", [{ address: record, offset }, 16n]);
}
