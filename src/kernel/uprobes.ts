/**
 * Owns attaching a loaded program to places in a file: by one uprobe_multi link (6.6 and later), or by the uprobe PMU,
 * one link a place. Does not own which places: they come proved to be instruction boundaries, merged and sorted out.
 */
import { readFileSync } from "node:fs";
import { assert } from "../base/assert.js";
import type { FileOffset } from "../base/bytes.js";
import { KernelError, UnsupportedError } from "../base/errors.js";
import { readOnlineCpus } from "./cpus.js";
import { errno } from "./errno.js";
import { kernelError } from "./hints.js";
import { linkPerfEvent, linkUprobeMulti, perfUprobe } from "./layouts.js";
import { loadProgram } from "./programs.js";
import type { KernelProgram } from "./programs.js";
import { attemptBpf, bpf, closeDescriptor, ioctl, perfEventOpen } from "./syscalls.js";

/** One place to arm. */
export interface UprobeSite {
  readonly offset: FileOffset;
  /** File offset of the 16-bit counter that the kernel raises while the place is armed. */
  readonly semaphore: FileOffset | undefined;
  /** What bpf_get_attach_cookie answers at this place; a safe integer. */
  readonly cookie: number;
}

export interface UprobeRequest {
  readonly program: KernelProgram;
  /** What the kernel opens: /proc/self/fd/N of the file that was read. */
  readonly openPath: string;
  /** What errors show. */
  readonly shownPath: string;
  readonly sites: readonly UprobeSite[];
  /** At the function's return instead of at the place. */
  readonly returns: boolean;
  /** Only this process (not a thread's id); on some kernels its children count too, so programs check again. */
  readonly pid: number | undefined;
}

/** Armed places; disposing disarms them all. A link also ends with the process that holds it. */
export interface UprobeLink extends Disposable {
  readonly kind: "uprobe_multi" | "perf_event";
  readonly sites: number;
}

/** The kernel refused one place; the others may be armed without it. */
export class RefusedPlaceError extends KernelError {
  readonly site: UprobeSite;

  constructor(cause: KernelError, site: UprobeSite) {
    super(cause);
    this.site = site;
  }
}

/** The kernel does not know uprobe_multi links (before 6.6); the uprobe PMU may serve, with programs loaded for it. */
export class NoMultiLinksError extends UnsupportedError {}

/**
 * Arms all places through one link. Throws a NoMultiLinksError where the kernel does not know such links,
 * and a RefusedPlaceError when one place alone is at fault.
 */
export function attachMulti(request: UprobeRequest): UprobeLink {
  assert(request.program.multi, "a program that was not loaded for uprobe_multi");
  assert(request.sites.length > 0, "no place to arm");
  const result = attemptMulti(request, request.sites);
  if (result >= 0) return openLink("uprobe_multi", request.sites.length, [result]);
  if (-result === errno.EINVAL && knowsUprobeMulti() === false) throw tooOld();
  const culprit = blamesOneSite(-result) ? findCulprit(request) : undefined;
  const error = kernelError("bpf BPF_LINK_CREATE uprobe_multi", -result, shownPlace(request, culprit));
  throw culprit === undefined ? error : new RefusedPlaceError(error, culprit);
}

/**
 * Arms the places one by one through the uprobe PMU; throws a RefusedPlaceError when one is at fault.
 * Why not for thousands of places: disarming took some 0.1 s a place on 6.18, each waiting until no handler runs any more
 * (uprobe_unregister_sync), where one uprobe_multi link waits once for all.
 */
export function attachPmu(request: UprobeRequest): UprobeLink {
  assert(!request.program.multi, "a program that was loaded for uprobe_multi");
  const pmu = readUprobePmu();
  // Kernel: perf wants a CPU that runs when there is no process; which does not matter, the program runs on all.
  const cpu = request.pid === undefined ? (readOnlineCpus()[0] ?? 0) : -1;
  const descriptors: number[] = [];
  try {
    for (const site of request.sites) descriptors.push(attachOrBlame(request, site, pmu, cpu));
    return openLink("perf_event", request.sites.length, descriptors);
  } catch (error) {
    for (const fd of descriptors) closeDescriptor(fd);
    throw error;
  }
}

/** Says whether the kernel knows uprobe_multi links, by one call that attaches nothing; undefined when it may not be asked. */
export function knowsUprobeMulti(): boolean | undefined {
  // Kernel: fields beyond those that it knows must be zero, or EINVAL comes before the program is looked up (EBADF).
  const one = new BigUint64Array(1);
  const attr = linkUprobeMulti({
    program: -1,
    path: "/",
    offsets: one,
    semaphores: undefined,
    cookies: one,
    returns: false,
    pid: 1,
  });
  const answer = -attemptBpf(attr);
  return answer === errno.EBADF ? true : answer === errno.EPERM ? undefined : false;
}

/** What sysfs says about the uprobe PMU. */
export interface UprobePmu {
  readonly type: number;
  /** The bit of `config` that asks for the return. */
  readonly returnBit: bigint;
  /** How far the semaphore's offset is shifted in `config`; undefined before 4.20. */
  readonly semaphoreShift: bigint | undefined;
}

/** Reads where the uprobe PMU takes its arguments. Throws an UnsupportedError where there is none (before 4.17). */
export function readUprobePmu(): UprobePmu {
  const folder = "/sys/bus/event_source/devices/uprobe";
  const readBit = (file: string): bigint | undefined => {
    const bit = /^config:(\d+)/.exec(readFile(`${folder}/${file}`) ?? "")?.[1];
    return bit === undefined ? undefined : BigInt(bit);
  };
  const type = Number(readFile(`${folder}/type`) ?? NaN);
  const returnBit = readBit("format/retprobe");
  if (!Number.isInteger(type) || returnBit === undefined) {
    throw new UnsupportedError({
      what: "this kernel has no uprobe PMU, or /sys is not mounted",
      at: folder,
      fix: "boot Linux 4.17 or later with CONFIG_UPROBE_EVENTS; see: uscope doctor",
    });
  }
  return { type, returnBit: 1n << returnBit, semaphoreShift: readBit("format/ref_ctr_offset") };
}

function attemptMulti(
  request: UprobeRequest,
  sites: readonly UprobeSite[],
  program = request.program.fd,
): number {
  const withSemaphores = sites.some((site) => site.semaphore !== undefined);
  return attemptBpf(
    linkUprobeMulti({
      program,
      path: request.openPath,
      offsets: packNumbers(sites, (site) => site.offset),
      semaphores: withSemaphores ? packNumbers(sites, (site) => site.semaphore ?? 0) : undefined,
      cookies: packNumbers(sites, (site) => site.cookie),
      returns: request.returns,
      pid: request.pid,
    }),
  );
}

/** Packs safe integers as 64-bit words. Why: two 32-bit stores a number, so that 78,000 sites make no 78,000 bigints. */
function packNumbers(sites: readonly UprobeSite[], valueOf: (site: UprobeSite) => number): BigUint64Array {
  const packed = new BigUint64Array(sites.length);
  const halves = new Uint32Array(packed.buffer);
  for (let index = 0; index < sites.length; index++) {
    const value = valueOf(sites[index]!);
    assert(Number.isSafeInteger(value) && value >= 0, `an offset or cookie of ${value}`);
    halves[index * 2] = value % 0x100000000;
    halves[index * 2 + 1] = Math.floor(value / 0x100000000);
  }
  return packed;
}

/** The kernel names no place: halves the list with a program that does nothing until one place fails alone. */
function findCulprit(request: UprobeRequest): UprobeSite | undefined {
  using probe = loadProgram(idleProgram, new Map(), { multi: true });
  const fails = (sites: readonly UprobeSite[]): boolean => {
    const result = attemptMulti(request, sites, probe.fd);
    if (result >= 0) closeDescriptor(result);
    return result < 0;
  };
  let suspects = request.sites;
  while (suspects.length > 1) {
    const half = suspects.slice(0, suspects.length >> 1);
    suspects = fails(half) ? half : suspects.slice(half.length);
  }
  return fails(suspects) ? suspects[0] : undefined;
}

const idleProgram = {
  name: "uscope_idle",
  license: "Dual BSD/GPL",
  sleepable: false,
  // r0 = 0; exit
  instructions: [
    { opcode: 0xb7, dst: 0, src: 0, offset: 0, imm: 0 },
    { opcode: 0x95, dst: 0, src: 0, offset: 0, imm: 0 },
  ],
  source: "",
  places: [],
} as const;

function blamesOneSite(number: number): boolean {
  // Kernel: ENOEXEC is for bytes that it cannot decode, ENOTSUPP for instructions that it knows and does not take.
  return (
    number === errno.ENOTSUPP ||
    number === errno.ENOEXEC ||
    number === errno.EINVAL ||
    number === errno.EIO ||
    number === errno.EFAULT
  );
}

function attachOrBlame(request: UprobeRequest, site: UprobeSite, pmu: UprobePmu, cpu: number): number {
  try {
    return attachOne(request, site, pmu, cpu);
  } catch (error) {
    const isHere = error instanceof KernelError && blamesOneSite(error.errno);
    throw isHere ? new RefusedPlaceError(error, site) : error;
  }
}

function attachOne(request: UprobeRequest, site: UprobeSite, pmu: UprobePmu, cpu: number): number {
  if (site.semaphore !== undefined && pmu.semaphoreShift === undefined) {
    throw new UnsupportedError({
      what: "this kernel cannot raise a marker's semaphore: that needs Linux 4.20",
      at: shownPlace(request, site),
      fix: "boot a newer kernel, or probe a function instead of the marker",
    });
  }
  const at = shownPlace(request, site);
  const attr = perfUprobe({
    type: pmu.type,
    returnBit: pmu.returnBit,
    semaphoreShift: pmu.semaphoreShift ?? 0n,
    returns: request.returns,
    semaphore: site.semaphore,
    path: request.openPath,
    offset: site.offset,
  });
  const event = perfEventOpen(attr, { pid: request.pid ?? -1, cpu }, at);
  try {
    const link = bpf(linkPerfEvent({ program: request.program.fd, event, cookie: site.cookie }), at);
    try {
      const enable = 0x2400;
      ioctl(event, enable, 0, at);
    } catch (error) {
      closeDescriptor(link);
      throw error;
    }
    return link;
  } finally {
    // Kernel: the link holds the event, so each place takes one descriptor and not two.
    closeDescriptor(event);
  }
}

function openLink(kind: UprobeLink["kind"], sites: number, descriptors: readonly number[]): UprobeLink {
  let closed = false;
  return {
    kind,
    sites,
    [Symbol.dispose]() {
      if (closed) return;
      closed = true;
      for (const fd of descriptors) closeDescriptor(fd);
    },
  };
}

function shownPlace(request: UprobeRequest, site: UprobeSite | undefined): string {
  if (site === undefined) return `${request.shownPath}, ${request.sites.length} places`;
  return `${request.shownPath}, file offset 0x${site.offset.toString(16)}`;
}

function tooOld(): NoMultiLinksError {
  return new NoMultiLinksError({
    what: "this kernel has no uprobe_multi links: they came with Linux 6.6",
    at: "bpf BPF_LINK_CREATE uprobe_multi (EINVAL: invalid argument)",
    fix: "attach through the uprobe PMU instead: --attach pmu, or leave --attach out",
  });
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
