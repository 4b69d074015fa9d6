/**
 * Owns the opened files that processes map: which file a mapping means, a bounded number of them open, each read once.
 * Does not own what lies where in a process (mappings.ts) nor names (symbolize.ts).
 */
import { statSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import { openBinary, stampOf } from "./binary.js";
import type { Binary } from "./binary.js";
import { mapFileName } from "./mappings.js";
import type { Mapping } from "./mappings.js";
import { isOutOfDescriptors, requireProcess } from "./process.js";

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
export function openMapped(pid: number, mapping: Mapping): Binary | undefined {
  const mapFile = `/proc/${pid}/map_files/${mapFileName(mapping)}`;
  const mapped = attemptStat(mapFile)?.isFile() === true ? attemptOpen(mapping, mapFile) : undefined;
  if (mapped !== undefined) {
    const isSure = mapped.inode === mapping.inode && isSameDevice(mapping.device, mapped.device) === true;
    if (isSure || isStillMapped(pid, mapping)) return mapped;
    mapped.close();
  }
  for (const path of pathsOf(pid, mapping)) {
    if (statMapped(path, mapping) === undefined) continue;
    const binary = attemptOpen(mapping, path);
    // Why again: another file may have taken the path meanwhile.
    if (binary !== undefined && mayBeMapped(mapping, binary)) return binary;
    binary?.close();
  }
  return undefined;
}

/** The stamp of the file of a mapping as it is now, by its path; undefined where that leads to another one. */
export function findStamp(pid: number, mapping: Mapping): string | undefined {
  for (const path of pathsOf(pid, mapping)) {
    const status = statMapped(path, mapping);
    if (status !== undefined) return stampOf(status);
  }
  return undefined;
}

function pathsOf(pid: number, { path }: Mapping): readonly string[] {
  return [`/proc/${pid}/root${path}`, path];
}

/** Why not opened: the path may lead to a pipe or a device of somebody else's by now, which notices being opened. */
function statMapped(path: string, mapping: Mapping): BigIntStats | undefined {
  const status = attemptStat(path);
  return status?.isFile() === true && mayBeMapped(mapping, { inode: status.ino, device: status.dev })
    ? status
    : undefined;
}

function attemptStat(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

/** Says whether a mapping is of a file; where devices cannot be compared the inode number alone decides. */
export function mayBeMapped(mapping: Mapping, { inode, device }: Pick<Binary, "inode" | "device">): boolean {
  return inode === mapping.inode && isSameDevice(mapping.device, device) !== false;
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
    if (isOutOfDescriptors(error)) throw error;
    return undefined;
  }
}
