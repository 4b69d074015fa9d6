/**
 * Owns the opened files that processes map: which file a mapping means, a bounded number of them open, each read once.
 * Does not own what lies where in a process (mappings.ts) nor names (symbolize.ts).
 */
import { constants } from "node:os";
import { KernelError } from "../base/errors.js";
import { openBinary } from "./binary.js";
import type { Binary } from "./binary.js";
import { mapFileName } from "./mappings.js";
import type { Mapping } from "./mappings.js";
import { requireProcess } from "./process.js";

/** Files open at once; the one that was not asked for the longest is closed. */
export const mostBinaries = 256;

/** Milliseconds until a file that could not be opened is tried again, and how many such are remembered. */
const failurePause = 1000;
const mostFailures = 1024;

export class MappedBinaries implements Disposable {
  /** By device and inode, last used last: a library is read once for all processes. */
  readonly #opened = new Map<string, Binary>();
  /** When a file could not be opened through a process. */
  readonly #failed = new Map<string, number>();

  /** The file of a mapping, also when its process has ended; undefined when it cannot be read, is damaged, or is another by now. */
  find(pid: number, mapping: Mapping): Binary | undefined {
    if (mapping.inode === 0n) return undefined;
    const key = `${mapping.device} ${mapping.inode}`;
    const known = this.#opened.get(key);
    if (known !== undefined) {
      this.#opened.delete(key);
      this.#opened.set(key, known);
      return known;
    }
    const failure = `${pid} ${key}`;
    if (performance.now() - (this.#failed.get(failure) ?? Number.NEGATIVE_INFINITY) < failurePause)
      return undefined;
    const binary = this.#open(pid, mapping);
    if (binary !== undefined) {
      this.#closeOldest(this.#opened.size + 1 - mostBinaries);
      this.#opened.set(key, binary);
      this.#failed.delete(failure);
    }
    return binary;
  }

  [Symbol.dispose](): void {
    this.#closeOldest(this.#opened.size);
  }

  #open(pid: number, mapping: Mapping): Binary | undefined {
    try {
      try {
        return this.#openOrRemember(pid, mapping);
      } catch {
        // Why: too many open files, and half of ours may be closed.
        this.#closeOldest(Math.ceil(this.#opened.size / 2));
        return this.#openOrRemember(pid, mapping);
      }
    } catch {
      // Why not remembered: the file is sound, and the next look may find a descriptor.
      return undefined;
    }
  }

  #openOrRemember(pid: number, mapping: Mapping): Binary | undefined {
    const binary = openMapped(pid, mapping);
    if (binary !== undefined) return binary;
    if (this.#failed.size >= mostFailures) this.#failed.clear();
    this.#failed.set(`${pid} ${mapping.device} ${mapping.inode}`, performance.now());
    return undefined;
  }

  #closeOldest(count: number): void {
    for (const [key, binary] of this.#opened) {
      if (count-- <= 0) return;
      binary.close();
      this.#opened.delete(key);
    }
  }
}

/**
 * Compares a device as /proc/PID/maps prints it with stat's of a file; undefined where that says nothing.
 * Kernel: btrfs and overlayfs give stat another device, one without a driver (major number 0), than they show in maps.
 */
export function isSameDevice(printed: string, device: bigint): boolean | undefined {
  const [major, minor] = printed.split(":").map((part) => Number.parseInt(part, 16));
  // Spec: gnu_dev_major and gnu_dev_minor of glibc's sys/sysmacros.h.
  const ownMajor = Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn));
  const ownMinor = Number((device & 0xffn) | ((device >> 12n) & 0xffff_ff00n));
  if (major === ownMajor && minor === ownMinor) return true;
  return major === 0 || ownMajor === 0 ? undefined : false;
}

/**
 * Opens the file of a mapping. Kernel: /proc/PID/map_files/START-END opens the mapped file itself, of another mount namespace,
 * replaced or deleted; but after an exec another file may lie there. A path must lead to the same file.
 * Throws a KernelError when there are too many open files.
 */
function openMapped(pid: number, mapping: Mapping): Binary | undefined {
  const mapped = attemptOpen(mapping, `/proc/${pid}/map_files/${mapFileName(mapping)}`);
  if (mapped !== undefined) {
    const isSure = mapped.inode === mapping.inode && isSameDevice(mapping.device, mapped.device) === true;
    if (isSure || isStillMapped(pid, mapping)) return mapped;
    mapped.close();
  }
  for (const path of [`/proc/${pid}/root${mapping.path}`, mapping.path]) {
    const binary = attemptOpen(mapping, path);
    if (binary?.inode === mapping.inode && isSameDevice(mapping.device, binary.device) !== false)
      return binary;
    binary?.close();
  }
  return undefined;
}

/**
 * Says whether the mapping is there, asked after its file was opened: then it was that file.
 * Why: on overlayfs older kernels print the inode of the layer below, which no stat answers.
 */
function isStillMapped(pid: number, { start, end, device, inode }: Mapping): boolean {
  try {
    return requireProcess(pid)
      .mappings()
      .some((now) => now.start === start && now.end === end && now.device === device && now.inode === inode);
  } catch {
    return false;
  }
}

/** A file that cannot be read or is damaged has no names; one for which no descriptor was left throws. */
function attemptOpen(mapping: Mapping, path: string): Binary | undefined {
  try {
    return openBinary(mapping.path, path);
  } catch (error) {
    const { EMFILE, ENFILE } = constants.errno;
    if (error instanceof KernelError && (error.errno === EMFILE || error.errno === ENFILE)) throw error;
    return undefined;
  }
}
