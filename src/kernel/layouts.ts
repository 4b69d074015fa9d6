/**
 * Owns the bytes of the structs that bpf() and perf_event_open() take: each drawn, then packed.
 * Does not own the calls, nor the values that go in.
 *
 * Addresses are never written here: a field that holds one is a patch, which the addon fills inside the call.
 */
import type { Call } from "./hints.js";

/** A buffer whose address goes into the struct at the offset. */
export interface Patch {
  readonly offset: number;
  readonly buffer: Uint8Array | BigUint64Array;
}

/** A packed struct with the call that it is for. */
export interface Attr {
  readonly call: Call;
  /** First argument of bpf(); meaningless for perf_event_open(). */
  readonly command: number;
  readonly bytes: Uint8Array;
  readonly patches: readonly Patch[];
}

// Spec: include/uapi/linux/bpf.h, enum bpf_cmd, bpf_map_type, bpf_prog_type, bpf_attach_type.
const commands = {
  mapCreate: 0,
  mapLookup: 1,
  mapUpdate: 2,
  mapDelete: 3,
  mapNextKey: 4,
  programLoad: 5,
  objectInfo: 15,
  mapLookupBatch: 24,
  linkCreate: 28,
} as const;
export const mapTypes = {
  hash: 1,
  array: 2,
  "percpu-hash": 5,
  "percpu-array": 6,
  "stack-trace": 7,
  "lru-hash": 9,
  ringbuf: 27,
} as const;
const kprobeProgram = 2;
const sleepableFlag = 16;
export const attachTypes = { perfEvent: 41, uprobeMulti: 48 } as const;

/*
 * BPF_MAP_CREATE    0 map_type  4 key_size  8 value_size  12 max_entries  16 map_flags  20 inner_map_fd  24 numa_node
 *                  28 map_name[16]
 */
export function mapCreate(map: {
  readonly name: string;
  readonly type: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly entries: number;
}): Attr {
  const { bytes, view } = struct(48);
  view.setUint32(0, map.type, true);
  view.setUint32(4, map.keyBytes, true);
  view.setUint32(8, map.valueBytes, true);
  view.setUint32(12, map.entries, true);
  putName(bytes, 28, map.name);
  return { call: "bpf BPF_MAP_CREATE", command: commands.mapCreate, bytes, patches: [] };
}

/*
 * BPF_MAP_*_ELEM    0 map_fd  8 &key  16 &value (or &next_key)  24 flags
 */
export function mapLookup(fd: number, key: Uint8Array, value: Uint8Array): Attr {
  return mapElement("bpf BPF_MAP_LOOKUP_ELEM", commands.mapLookup, fd, key, value, 0);
}

/** Flags: 0 any, 1 only a new key, 2 only a key that is there. */
export function mapUpdate(fd: number, key: Uint8Array, value: Uint8Array, flags: 0 | 1 | 2): Attr {
  return mapElement("bpf BPF_MAP_UPDATE_ELEM", commands.mapUpdate, fd, key, value, flags);
}

export function mapDelete(fd: number, key: Uint8Array): Attr {
  return mapElement("bpf BPF_MAP_DELETE_ELEM", commands.mapDelete, fd, key, undefined, 0);
}

/** Without a key the first one is asked for. */
export function mapNextKey(fd: number, key: Uint8Array | undefined, next: Uint8Array): Attr {
  return mapElement("bpf BPF_MAP_GET_NEXT_KEY", commands.mapNextKey, fd, key, next, 0);
}

function mapElement(
  call: Call,
  command: number,
  fd: number,
  key: Uint8Array | undefined,
  value: Uint8Array | undefined,
  flags: number,
): Attr {
  const { bytes, view } = struct(32);
  view.setUint32(0, fd, true);
  view.setUint32(24, flags, true);
  return { call, command, bytes, patches: [...patch(8, key), ...patch(16, value)] };
}

/*
 * BPF_MAP_LOOKUP_BATCH    0 &in_batch  8 &out_batch  16 &keys  24 &values  32 count  36 map_fd  40 elem_flags  48 flags
 * The kernel writes the number of elements that it copied into count.
 */
export function mapLookupBatch(batch: {
  readonly fd: number;
  readonly from: Uint8Array | undefined;
  readonly next: Uint8Array;
  readonly keys: Uint8Array;
  readonly values: Uint8Array;
  readonly count: number;
}): Attr {
  const { bytes, view } = struct(56);
  view.setUint32(32, batch.count, true);
  view.setUint32(36, batch.fd, true);
  return {
    call: "bpf BPF_MAP_LOOKUP_BATCH",
    command: commands.mapLookupBatch,
    bytes,
    patches: [
      ...patch(0, batch.from),
      ...patch(8, batch.next),
      ...patch(16, batch.keys),
      ...patch(24, batch.values),
    ],
  };
}

/** Reads how many elements a batch brought. */
export function batchCount(attr: Attr): number {
  return new DataView(attr.bytes.buffer).getUint32(32, true);
}

/*
 * BPF_PROG_LOAD    0 prog_type  4 insn_cnt  8 &insns  16 &license  24 log_level  28 log_size  32 &log_buf
 *                 40 kern_version  44 prog_flags  48 prog_name[16]  64 prog_ifindex  68 expected_attach_type
 */
export function programLoad(program: {
  readonly name: string;
  readonly instructions: Uint8Array;
  readonly license: string;
  readonly sleepable: boolean;
  readonly attachType: number;
  readonly log: { readonly level: number; readonly buffer: Uint8Array } | undefined;
}): Attr {
  const { bytes, view } = struct(72);
  view.setUint32(0, kprobeProgram, true);
  view.setUint32(4, program.instructions.length / 8, true);
  view.setUint32(24, program.log?.level ?? 0, true);
  view.setUint32(28, program.log?.buffer.length ?? 0, true);
  view.setUint32(44, program.sleepable ? sleepableFlag : 0, true);
  putName(bytes, 48, program.name);
  view.setUint32(68, program.attachType, true);
  return {
    call: "bpf BPF_PROG_LOAD",
    command: commands.programLoad,
    bytes,
    patches: [
      ...patch(8, program.instructions),
      ...patch(16, cString(program.license)),
      ...patch(32, program.log?.buffer),
    ],
  };
}

/*
 * BPF_OBJ_GET_INFO_BY_FD    0 bpf_fd  4 info_len  8 &info
 */
export function objectInfo(fd: number, answer: Uint8Array): Attr {
  const { bytes, view } = struct(16);
  view.setUint32(0, fd, true);
  view.setUint32(4, answer.length, true);
  return {
    call: "bpf BPF_OBJ_GET_INFO_BY_FD",
    command: commands.objectInfo,
    bytes,
    patches: patch(8, answer),
  };
}

/*
 * BPF_LINK_CREATE, uprobe_multi    0 prog_fd  4 target_fd (0)  8 attach_type  12 flags  16 &path  24 &offsets
 *                                 32 &ref_ctr_offsets  40 &cookies  48 cnt  52 flags (1: at returns)  56 pid (0: all)
 */
export function linkUprobeMulti(link: {
  readonly program: number;
  readonly path: string;
  readonly offsets: BigUint64Array;
  readonly semaphores: BigUint64Array | undefined;
  readonly cookies: BigUint64Array;
  readonly returns: boolean;
  readonly pid: number | undefined;
}): Attr {
  const { bytes, view } = struct(64);
  view.setInt32(0, link.program, true);
  view.setUint32(8, attachTypes.uprobeMulti, true);
  view.setUint32(48, link.offsets.length, true);
  view.setUint32(52, link.returns ? 1 : 0, true);
  view.setUint32(56, link.pid ?? 0, true);
  return {
    call: "bpf BPF_LINK_CREATE uprobe_multi",
    command: commands.linkCreate,
    bytes,
    patches: [
      ...patch(16, cString(link.path)),
      ...patch(24, link.offsets),
      ...patch(32, link.semaphores),
      ...patch(40, link.cookies),
    ],
  };
}

/*
 * BPF_LINK_CREATE, perf_event    0 prog_fd  4 target_fd (of the event)  8 attach_type  12 flags  16 bpf_cookie
 */
export function linkPerfEvent(link: {
  readonly program: number;
  readonly event: number;
  readonly cookie: number;
}): Attr {
  const { bytes, view } = struct(24);
  view.setInt32(0, link.program, true);
  view.setInt32(4, link.event, true);
  view.setUint32(8, attachTypes.perfEvent, true);
  view.setBigUint64(16, BigInt(link.cookie), true);
  return { call: "bpf BPF_LINK_CREATE perf_event", command: commands.linkCreate, bytes, patches: [] };
}

/*
 * perf_event_attr    0 type  4 size  8 config  16 sample_period  24 sample_type  32 read_format  40 flags (bits)
 *                   48 wakeup_events/watermark  52 bp_type  56 config1  64 config2  72 branch_sample_type
 *                   80 sample_regs_user  88 sample_stack_user  92 clockid  96 sample_regs_intr  104 aux_watermark
 * 112 bytes is PERF_ATTR_SIZE_VER5 (4.1). For a uprobe config1 is &path and config2 the file offset.
 */
export function perfUprobe(event: {
  readonly type: number;
  readonly returnBit: bigint;
  readonly semaphoreShift: bigint;
  readonly returns: boolean;
  readonly semaphore: number | undefined;
  readonly path: string;
  readonly offset: number;
}): Attr {
  const { bytes, view } = struct(112);
  view.setUint32(0, event.type, true);
  view.setUint32(4, bytes.length, true);
  const semaphore = BigInt(event.semaphore ?? 0) << event.semaphoreShift;
  view.setBigUint64(8, semaphore | (event.returns ? event.returnBit : 0n), true);
  view.setBigUint64(64, BigInt(event.offset), true);
  return { call: "perf_event_open uprobe", command: 0, bytes, patches: patch(56, cString(event.path)) };
}

/** A software event that never counts and only carries the side records named by the flag bits; wakes at every byte. */
export function perfDummy(event: {
  readonly flagBits: readonly number[];
  readonly sampleType: number;
}): Attr {
  const { bytes, view } = struct(112);
  const softwareType = 1;
  const dummyConfig = 9n;
  const monotonicClock = 1;
  view.setUint32(0, softwareType, true);
  view.setUint32(4, bytes.length, true);
  view.setBigUint64(8, dummyConfig, true);
  view.setBigUint64(24, BigInt(event.sampleType), true);
  view.setBigUint64(
    40,
    event.flagBits.reduce((flags, bit) => flags | (1n << BigInt(bit)), 0n),
    true,
  );
  view.setUint32(48, 1, true);
  view.setInt32(92, monotonicClock, true);
  return { call: "perf_event_open dummy", command: 0, bytes, patches: [] };
}

function struct(size: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(size);
  return { bytes, view: new DataView(bytes.buffer) };
}

function patch(offset: number, buffer: Uint8Array | BigUint64Array | undefined): Patch[] {
  return buffer === undefined ? [] : [{ offset, buffer }];
}

function cString(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}

/** Kernel: names take 15 bytes of letters, digits, "_" and "."; anything else makes the call fail. */
function putName(bytes: Uint8Array, offset: number, name: string): void {
  const allowed = name.replaceAll(/[^\w.]/g, "_").slice(0, 15);
  bytes.set(new TextEncoder().encode(allowed), offset);
}
