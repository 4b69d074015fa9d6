/**
 * Owns names of addresses in processes: module by mapping, function by symbol + offset, kept after the process has ended.
 * Does not own unwinding: the kernel walks frame pointers.
 */
import { basename } from "node:path";
import type { FileOffset } from "../base/bytes.js";
import { virtualAddressOf } from "../elf/address.js";
import { demangle } from "../demangle/demangle.js";
import { openBinary } from "./binary.js";
import type { Binary } from "./binary.js";
import { KernelSymbols } from "./kallsyms.js";
import { mapFileName } from "./mappings.js";
import type { Mapping } from "./mappings.js";
import { requireProcess } from "./process.js";

export class Symbolizer implements Disposable {
  /** Addresses asked for that have no function's name. */
  unresolved = 0;
  readonly #processes = new Map<number, Process>();
  /** By device and inode: a library is read once for all processes. */
  readonly #binaries = new Map<string, Binary | undefined>();
  readonly #kernel = new KernelSymbols();

  /** Reads a process's mappings now, so that its addresses can be named after it has ended. */
  warm(pid: number): void {
    this.#processOf(pid).refresh();
  }

  /** Learns that a process maps a file from now on, from somebody who heard it from the kernel. */
  learn(pid: number, mapping: Mapping): void {
    this.#processOf(pid).learn(mapping);
  }

  /** A process has become another program: what was known of it is void. */
  forget(pid: number): void {
    this.#processes.delete(pid);
  }

  /** A child has what its parent has, until it becomes another program. */
  inherit(child: number, parent: number): void {
    const known = this.#processes.get(parent);
    if (known !== undefined) for (const mapping of known.mappings) this.learn(child, mapping);
  }

  /** Prints `function+0xOFFSET [module]` as BCC does; with pid 0 a kernel address; `[unknown]` where there is no name. */
  print(pid: number, address: bigint): string {
    return pid === 0 ? this.#printKernel(address) : this.#printUser(pid, address);
  }

  [Symbol.dispose](): void {
    for (const binary of this.#binaries.values()) binary?.[Symbol.dispose]();
    this.#binaries.clear();
    this.#processes.clear();
  }

  #printKernel(address: bigint): string {
    const symbol = this.#kernel.find(address);
    if (symbol === undefined) return this.#unknown(address, undefined);
    return `${symbol.name}+0x${symbol.offset.toString(16)} [${symbol.module ?? "kernel"}]`;
  }

  #printUser(pid: number, address: bigint): string {
    const process = this.#processOf(pid);
    const known = process.names.get(address);
    if (known !== undefined) return known;
    const mapping = process.find(Number(address));
    const name = mapping === undefined ? undefined : this.#nameIn(pid, mapping, Number(address));
    if (name === undefined) return this.#unknown(address, mapping);
    if (process.names.size > mostNames) process.names.clear();
    process.names.set(address, name);
    return name;
  }

  #nameIn(pid: number, mapping: Mapping, address: number): string | undefined {
    const binary = this.#binaryOf(pid, mapping);
    if (binary === undefined) return undefined;
    const offset = (address - mapping.start + mapping.offset) as FileOffset;
    const virtual = virtualAddressOf(binary.elf, offset);
    const symbol = virtual === undefined ? undefined : binary.functions.covering(virtual);
    if (virtual === undefined || symbol === undefined) return undefined;
    return `${demangle(symbol.name) ?? symbol.name}+0x${(virtual - symbol.address).toString(16)} [${basename(mapping.path)}]`;
  }

  #unknown(address: bigint, mapping: Mapping | undefined): string {
    this.unresolved++;
    if (mapping === undefined) return `0x${address.toString(16)} [unknown]`;
    const offset = Number(address) - mapping.start + mapping.offset;
    return `0x${offset.toString(16)} [${mapping.path === "" ? "anonymous" : basename(mapping.path)}]`;
  }

  #processOf(pid: number): Process {
    let process = this.#processes.get(pid);
    if (process === undefined) {
      process = new Process(pid);
      this.#processes.set(pid, process);
    }
    return process;
  }

  /** Kernel: /proc/PID/map_files/START-END opens the mapped file itself: of another mount namespace, replaced or deleted. */
  #binaryOf(pid: number, mapping: Mapping): Binary | undefined {
    if (mapping.inode === 0n) return undefined;
    const key = `${mapping.device} ${mapping.inode}`;
    if (!this.#binaries.has(key)) this.#binaries.set(key, openMapped(pid, mapping));
    return this.#binaries.get(key);
  }
}

/** Names kept per process. */
const mostNames = 50_000;

class Process {
  readonly names = new Map<bigint, string>();
  mappings: readonly Mapping[] = [];
  readonly #pid: number;
  #refreshed = Number.NEGATIVE_INFINITY;

  constructor(pid: number) {
    this.#pid = pid;
  }

  find(address: number): Mapping | undefined {
    const holds = (mapping: Mapping): boolean => mapping.start <= address && address < mapping.end;
    // Why the last: a later mapping hides an older one at the same place.
    const known = this.mappings.findLast(holds);
    // Why: a library may have been loaded since; but an address that is nowhere must not cost a read each time.
    if (known !== undefined || performance.now() - this.#refreshed < 1000) return known;
    this.refresh();
    return this.mappings.findLast(holds);
  }

  learn(mapping: Mapping): void {
    this.mappings = [...this.mappings, mapping];
  }

  /** Keeps what is known when the process has ended. */
  refresh(): void {
    this.#refreshed = performance.now();
    try {
      const mappings = requireProcess(this.#pid)
        .mappings()
        .filter(({ executable }) => executable);
      if (mappings.length > 0) this.mappings = mappings;
    } catch {
      // The process has ended; what was read before still names its addresses.
    }
  }
}

/**
 * Opens the file of a mapping, also when its process has ended; a path must still lead to the same inode.
 * A file that cannot be read or is damaged has no names; its addresses show as offsets in it, and are counted.
 */
function openMapped(pid: number, mapping: Mapping): Binary | undefined {
  const mapped = attempt(() => openBinary(mapping.path, `/proc/${pid}/map_files/${mapFileName(mapping)}`));
  if (mapped !== undefined) return mapped;
  for (const path of [`/proc/${pid}/root${mapping.path}`, mapping.path]) {
    const binary = attempt(() => openBinary(mapping.path, path));
    if (binary?.inode === mapping.inode) return binary;
    binary?.close();
  }
  return undefined;
}

function attempt<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
