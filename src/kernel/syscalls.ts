/**
 * Owns the door to the kernel: the only file that loads the addon. Every call either throws a KernelError through
 * hints.ts, or, where its name begins with `attempt`, answers a negative errno for callers that expect a refusal.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { UnsupportedError } from "../base/errors.js";
import { errno } from "./errno.js";
import { kernelError } from "./hints.js";
import type { Attr, Patch } from "./layouts.js";

/** Where a perf event counts; -1 means every process, or every CPU, but not both at once. */
export interface PerfPlace {
  readonly pid: number;
  readonly cpu: number;
}

/** Makes a bpf() call; returns a descriptor or 0. `at` says in an error what the call was about. */
export function bpf(attr: Attr, at: string): number {
  return orThrow(attemptBpf(attr), attr, at);
}

/** Makes a bpf() call; returns a descriptor, 0, or a negative errno. */
export function attemptBpf(attr: Attr): number {
  const { bpf } = openAddon();
  let result = bpf(attr.command, attr.bytes, attr.patches);
  // Kernel: a signal makes the verifier give up with EAGAIN; nothing has happened then.
  for (let retry = 0; result === -errno.EAGAIN && retry < 10; retry++) {
    result = bpf(attr.command, attr.bytes, attr.patches);
  }
  return result;
}

/** Opens a perf event that an exec closes; returns its descriptor. */
export function perfEventOpen(attr: Attr, place: PerfPlace, at: string): number {
  return orThrow(attemptPerfEventOpen(attr, place), attr, at);
}

/** Opens a perf event that an exec closes; returns its descriptor or a negative errno. */
export function attemptPerfEventOpen(attr: Attr, place: PerfPlace): number {
  const closeOnExec = 8;
  return openAddon().perfEventOpen(attr.bytes, attr.patches, place.pid, place.cpu, -1, closeOnExec);
}

/** Makes an ioctl() call with a plain number; returns its result. */
export function ioctl(fd: number, request: number, argument: number, at: string): number {
  const result = openAddon().ioctl(fd, request, argument);
  if (result < 0) throw kernelError("ioctl", -result, at);
  return result;
}

/** Closes a descriptor. Never throws: what cannot be closed is closed already. */
export function closeDescriptor(fd: number): void {
  openAddon().close(fd);
}

/** Maps `length` bytes of a descriptor, shared; the offset is in bytes. Give it back to `unmapMemory`. */
export function mapMemory(
  request: {
    readonly fd: number;
    readonly offset: number;
    readonly length: number;
    readonly writable: boolean;
  },
  at: string,
): ArrayBuffer {
  const [readable, writable, shared] = [1, 2, 1];
  const protection = request.writable ? readable | writable : readable;
  const result = openAddon().mmap(request.length, protection, shared, request.fd, request.offset);
  if (typeof result === "number") throw kernelError("mmap", -result, at);
  return result;
}

/** Detaches the buffer, so that all its views have length 0, and unmaps its memory. A second time does nothing. */
export function unmapMemory(buffer: ArrayBuffer): void {
  openAddon().munmap(buffer);
}

/**
 * Calls back once per wake-up of a descriptor, and once soon if it is readable already, until the watch is disposed.
 * The watch keeps the process alive only when it is asked to. Of a perf event it misses what wakes before the event loop next polls.
 */
export function watchDescriptor(
  fd: number,
  options: { readonly keepAlive: boolean },
  callback: () => void,
  at: string,
): Disposable {
  const addon = openAddon();
  const watch = addon.watch(fd, options.keepAlive, callback);
  if (typeof watch === "number") throw kernelError("epoll_ctl", -watch, at);
  return { [Symbol.dispose]: () => addon.unwatch(watch) };
}

interface Addon {
  bpf(command: number, attr: Uint8Array, patches: readonly Patch[]): number;
  perfEventOpen(
    attr: Uint8Array,
    patches: readonly Patch[],
    pid: number,
    cpu: number,
    group: number,
    flags: number,
  ): number;
  ioctl(fd: number, request: number, argument: number): number;
  close(fd: number): number;
  mmap(length: number, protection: number, flags: number, fd: number, offset: number): ArrayBuffer | number;
  munmap(buffer: ArrayBuffer): number;
  watch(fd: number, keepAlive: boolean, callback: () => void): object | number;
  unwatch(watch: object): void;
}

let loaded: Addon | undefined;

function openAddon(): Addon {
  return (loaded ??= loadAddon());
}

/** Why dlopen itself: asking the module loader for a path in this package takes 5 ms of every start. */
function loadAddon(): Addon {
  const name = join("prebuilds", `${process.platform}-${process.arch}`, "uscope.node");
  const loading = { exports: {} };
  try {
    process.dlopen(loading, join(requirePackage(), name));
    return loading.exports as Addon;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new UnsupportedError(
      {
        what: `uscope has no working native part for this platform (${process.platform}-${process.arch})`,
        at: `${name}: ${reason}`,
        fix: "install the uscope package for Linux on x64; in a checkout build it: node scripts/build-addon.mjs",
      },
      { cause: error },
    );
  }
}

/**
 * The folder of this package: sources and bundles lie at different depths of it. Why by its name and not by what lies
 * there: what stands in a folder above the package is somebody else's, and would run with all privileges.
 */
function requirePackage(): string {
  let folder = import.meta.dirname;
  for (;;) {
    const name = packageName(folder);
    if (name === "uscope") return folder;
    const above = dirname(folder);
    if (name !== undefined || above === folder)
      throw new Error(`${import.meta.dirname} is not in the uscope package`);
    folder = above;
  }
}

/** What the folder's package.json calls it; undefined without one, or where it has no name, as in dist/code. */
function packageName(folder: string): unknown {
  try {
    const { name } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { name?: unknown };
    return name;
  } catch {
    return undefined;
  }
}

function orThrow(result: number, attr: Attr, at: string): number {
  if (result < 0) throw kernelError(attr.call, -result, at);
  return result;
}
