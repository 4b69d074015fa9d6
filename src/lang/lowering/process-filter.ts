/**
 * Owns the first steps of every program: is this hit one of the processes, threads, users or cgroups that are wanted?
 * Does not own the author's own condition, which comes later and is counted.
 */
import { assert } from "../../base/assert.js";
import { commBytes } from "../event.js";
import type { StackSlot, Virtual } from "../ir.js";
import { pidsMap } from "../maps.js";
import { usesPidMap } from "../options.js";
import type { ProcessFilter } from "../options.js";
import type { BlockNumber, Builder } from "./builder.js";

/** Goes on where the hit is wanted, and to `out` where it is not: the cheapest tests first. */
export function filterProcesses(builder: Builder, filter: ProcessFilter, out: BlockNumber): void {
  if (filter.pids.length > 0) filterPids(builder, filter, out);
  if (filter.notPid !== undefined) refuseWhere(builder, "eq", processId(builder), BigInt(filter.notPid), out);
  if (filter.tid !== undefined) {
    // Kernel: the low half is the thread.
    const both = builder.callStable("get_current_pid_tgid");
    refuseWhere(builder, "ne", both, BigInt(filter.tid), out);
  }
  if (filter.uid !== undefined) {
    // Kernel: the low half is the user, the high half the group.
    refuseWhere(builder, "ne", builder.callStable("get_current_uid_gid"), BigInt(filter.uid), out);
  }
  if (filter.cgroup !== undefined) filterCgroup(builder, filter.cgroup, out);
  if (filter.notComm !== undefined) refuseComm(builder, filter.notComm, out);
}

function processId(builder: Builder): Virtual {
  return builder.compute("rsh", 64, builder.callStable("get_current_pid_tgid"), 32n);
}

/** Goes to `out` where the low 32 bits compare so. */
function refuseWhere(
  builder: Builder,
  condition: "eq" | "ne",
  value: Virtual,
  wanted: bigint,
  out: BlockNumber,
): void {
  const wantedBlock = builder.block("wanted");
  builder.branch(condition, 32, value, wanted, out, wantedBlock);
  builder.enter(wantedBlock);
}

function filterPids(builder: Builder, filter: ProcessFilter, out: BlockNumber): void {
  const process = processId(builder);
  if (usesPidMap(filter)) return lookUpPid(builder, filter, process, out);
  const wanted = builder.block("wanted");
  filter.pids.forEach((pid, index) => {
    const isLast = index === filter.pids.length - 1;
    const next = isLast ? out : builder.block("other");
    builder.branch("eq", 32, process, BigInt(pid), wanted, next);
    if (!isLast) builder.enter(next);
  });
  builder.enter(wanted);
}

function lookUpPid(builder: Builder, { children }: ProcessFilter, process: Virtual, out: BlockNumber): void {
  const key = builder.slot(8);
  const wanted = builder.block("wanted");
  builder.store(key, 0, 4, process);
  const found = builder.call("map_lookup_elem", [{ map: pidsMap }, { address: key, offset: 0 }]);
  if (children === undefined) {
    builder.branch("ne", 64, found, 0n, wanted, out);
  } else {
    const unknown = builder.block("unknown", "seldom");
    builder.branch("ne", 64, found, 0n, wanted, unknown);
    builder.enter(unknown);
    adoptChild(builder, children, process, key, wanted, out);
  }
  builder.enter(wanted);
}

/** How many ancestors are asked. */
const generations = 8n;

/** Looks for a wanted process among the ancestors; where there is one, remembers this process as wanted too. */
function adoptChild(
  builder: Builder,
  children: NonNullable<ProcessFilter["children"]>,
  process: Virtual,
  key: StackSlot,
  wanted: BlockNumber,
  out: BlockNumber,
): void {
  const keyAddress = { address: key, offset: 0 };
  const pointer = builder.slot(8);
  const [above, lookUp, ask, next, adopt] = ["above", "parent", "ask", "next", "adopt"].map((name) =>
    builder.block(name, "seldom"),
  );
  assert(
    above !== undefined &&
      lookUp !== undefined &&
      ask !== undefined &&
      next !== undefined &&
      adopt !== undefined,
    "five blocks",
  );
  const task = builder.copy(builder.call("get_current_task", []));
  const generation = builder.copy(0n);
  builder.jump(above);

  // Kernel: task->real_parent, then its tgid. A read of a task that is gone fails, and the hit is not wanted.
  builder.enter(above);
  const parentAt = builder.compute("add", 64, task, BigInt(children.realParent));
  const parentRead = builder.call("probe_read_kernel", [{ address: pointer, offset: 0 }, 8n, parentAt]);
  builder.branch("ne", 64, parentRead, 0n, out, lookUp);

  builder.enter(lookUp);
  builder.copy(builder.load(pointer, 0, 8), task);
  const idAt = builder.compute("add", 64, task, BigInt(children.tgid));
  const idRead = builder.call("probe_read_kernel", [keyAddress, 4n, idAt]);
  builder.branch("ne", 64, idRead, 0n, out, ask);

  builder.enter(ask);
  const found = builder.call("map_lookup_elem", [{ map: pidsMap }, keyAddress]);
  builder.branch("ne", 64, found, 0n, adopt, next);

  builder.enter(next);
  builder.copy(builder.compute("add", 64, generation, 1n), generation);
  builder.branch("lt", 64, generation, generations, above, out);

  builder.enter(adopt);
  builder.store(key, 0, 4, process);
  builder.store(pointer, 0, 4, 1n);
  builder.run("map_update_elem", [{ map: pidsMap }, keyAddress, { address: pointer, offset: 0 }, 0n]);
  builder.jump(wanted);
}

function filterCgroup(
  builder: Builder,
  { id, level }: { readonly id: bigint; readonly level: number },
  out: BlockNumber,
): void {
  const wanted = builder.block("wanted");
  const ancestor = builder.call("get_current_ancestor_cgroup_id", [BigInt(level)]);
  builder.branch("ne", 64, ancestor, id, out, wanted);
  builder.enter(wanted);
}

function refuseComm(builder: Builder, name: string, out: BlockNumber): void {
  const bytes = new Uint8Array(commBytes);
  const encoded = new TextEncoder().encode(name);
  assert(encoded.length < commBytes, "a thread's name of more than 15 bytes");
  bytes.set(encoded);
  const base = builder.slot(commBytes);
  // Kernel: bpf_get_current_comm() fills the rest of the buffer with zeros.
  builder.run("get_current_comm", [{ address: base, offset: 0 }, BigInt(commBytes)]);
  const wanted = builder.block("wanted");
  const same = builder.block("same", "seldom");
  const view = new DataView(bytes.buffer);
  builder.branch("eq", 64, builder.load(base, 0, 8), view.getBigUint64(0, true), same, wanted);
  builder.enter(same);
  builder.branch("eq", 64, builder.load(base, 8, 8), view.getBigUint64(8, true), out, wanted);
  builder.enter(wanted);
}
