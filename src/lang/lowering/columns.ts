/**
 * Owns writing the optional columns of an event, which are its first fields: processor, name and user of the thread.
 * Does not own the author's fields (events.ts).
 */
import type { EventLayout } from "../event.js";
import type { Virtual } from "../ir.js";
import type { CompileOptions } from "../options.js";
import type { Builder } from "./builder.js";

/** Writes those that are wanted, in the order in which the event's layout has them. */
export function writeColumns(
  builder: Builder,
  record: Virtual,
  { fields }: EventLayout,
  { cpu, comm, uid }: CompileOptions["columns"],
): void {
  let next = 0;
  const place = (): number => fields[next++]!.offset;
  if (cpu) builder.store(record, place(), 4, builder.callStable("get_smp_processor_id"));
  if (comm) writeName(builder, record, place());
  if (uid) builder.store(record, place(), 4, builder.callStable("get_current_uid_gid"));
}

/** Writes the name of the thread. */
export function writeName(builder: Builder, record: Virtual, offset: number): void {
  builder.run("get_current_comm", [{ address: record, offset }, 16n]);
}
