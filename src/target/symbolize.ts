/**
 * Owns names of addresses in processes: module by mapping, function by symbol + offset, kept after the process has ended.
 * Does not own unwinding: the kernel walks frame pointers.
 */
import { basename } from "node:path";
import type { FileOffset } from "../base/bytes.js";
import { virtualAddressOf } from "../elf/address.js";
import { escapeControls } from "../base/text.js";
import { demangle } from "../demangle/demangle.js";
import { KernelSymbols } from "./kallsyms.js";
import { MappedBinaries } from "./mapped-binaries.js";
import type { Mapping } from "./mappings.js";
import { requireProcess } from "./process.js";

/** Ended processes that are remembered: their last events are printed after their end. */
const mostEnded = 64;
/** Files that are opened at once when a process is looked at beforehand. */
const mostWarmed = 64;
/** Names and mappings kept per process. */
const mostNames = 50_000;
const mostMappings = 10_000;

/** Says whether a process has become another since the moment whose addresses are named. */
export type StaleTest = (pid: number) => boolean;

export class Symbolizer implements Disposable {
  /** Addresses asked for that have no function's name. */
  unresolved = 0;
  /** Whoever follows processes says what has happened to them; nobody does at first. */
  isStale: StaleTest = () => false;
  readonly #processes = new Map<number, Process>();
  /** Those of them that have ended, longest ago first. */
  readonly #ended = new Set<number>();
  readonly #binaries = new MappedBinaries();
  readonly #kernel = new KernelSymbols();

  /** Reads a process's mappings now and opens their files, so that its addresses can be named after it has ended or become another. */
  warm(pid: number): void {
    const process = this.#processOf(pid);
    process.refresh();
    for (const mapping of [...process.mappings()].slice(0, mostWarmed)) this.#binaries.find(pid, mapping);
  }

  /** Learns that a process maps a file from now on, from somebody who heard it from the kernel. */
  learn(pid: number, mapping: Mapping): void {
    this.#processOf(pid).learn(mapping);
  }

  /** A process has become another program: what was known of it is void. */
  forget(pid: number): void {
    this.#processes.delete(pid);
    this.#ended.delete(pid);
  }

  /** What has become of processes was missed: all that was known of them is void. */
  forgetAll(): void {
    this.#processes.clear();
    this.#ended.clear();
  }

  /** A child has what its parent has, until it becomes another program; whoever had its number before is gone. */
  inherit(child: number, parent: number): void {
    this.forget(child);
    const known = this.#processes.get(parent);
    if (known !== undefined) for (const mapping of known.mappings()) this.learn(child, mapping);
  }

  /** A process has ended: it is remembered until enough others have. */
  end(pid: number): void {
    if (!this.#processes.has(pid)) return;
    this.#ended.delete(pid);
    this.#ended.add(pid);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= mostEnded) return;
      this.forget(oldest);
    }
  }

  /** Prints `function+0xOFFSET [module]` as BCC does; with pid 0 a kernel address; `[unknown]` where there is no name. */
  print(pid: number, address: bigint): string {
    return pid === 0 ? this.#printKernel(address) : this.#printUser(pid, address);
  }

  [Symbol.dispose](): void {
    this.#binaries[Symbol.dispose]();
    this.forgetAll();
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
    if (process.isGone) this.end(pid);
    const name = mapping === undefined ? undefined : this.#nameIn(pid, mapping, Number(address));
    if (name === undefined) return this.#unknown(address, mapping);
    if (process.names.size > mostNames) process.names.clear();
    process.names.set(address, name);
    return name;
  }

  #nameIn(pid: number, mapping: Mapping, address: number): string | undefined {
    const binary = this.#binaries.find(pid, mapping);
    if (binary === undefined) return undefined;
    const offset = (address - mapping.start + mapping.offset) as FileOffset;
    const virtual = virtualAddressOf(binary.elf, offset);
    const symbol = virtual === undefined ? undefined : binary.functions.covering(virtual);
    if (virtual === undefined || symbol === undefined) return undefined;
    const name = `${demangle(symbol.name) ?? symbol.name}+0x${(virtual - symbol.address).toString(16)} [${basename(mapping.path)}]`;
    return escapeControls(name);
  }

  #unknown(address: bigint, mapping: Mapping | undefined): string {
    this.unresolved++;
    if (mapping === undefined) return `0x${address.toString(16)} [unknown]`;
    const offset = Number(address) - mapping.start + mapping.offset;
    return `0x${offset.toString(16)} [${mapping.path === "" ? "anonymous" : escapeControls(basename(mapping.path))}]`;
  }

  #processOf(pid: number): Process {
    let process = this.#processes.get(pid);
    if (process === undefined) {
      process = new Process(pid, () => this.isStale(pid));
      this.#processes.set(pid, process);
    }
    return process;
  }
}

class Process {
  readonly names = new Map<bigint, string>();
  /** Was found to have no mappings any more. */
  isGone = false;
  /** By place, last mapped last. */
  #mappings = new Map<string, Mapping>();
  readonly #pid: number;
  readonly #isStale: () => boolean;
  #refreshed = Number.NEGATIVE_INFINITY;

  constructor(pid: number, isStale: () => boolean) {
    this.#pid = pid;
    this.#isStale = isStale;
  }

  mappings(): Iterable<Mapping> {
    return this.#mappings.values();
  }

  find(address: number): Mapping | undefined {
    const known = this.#findKnown(address);
    // Why: a library may have been loaded since; but an address that is nowhere must not cost a read each time.
    if (known !== undefined || performance.now() - this.#refreshed < 1000) return known;
    this.refresh();
    return this.#findKnown(address);
  }

  learn(mapping: Mapping): void {
    const key = placeOf(mapping);
    this.#mappings.delete(key);
    this.#mappings.set(key, mapping);
    // Why: it may hide another, whose names are then void.
    this.names.clear();
    if (this.#mappings.size <= mostMappings) return;
    // Why half: a map forgets its oldest one by one slowly.
    this.#mappings = new Map([...this.#mappings].slice(mostMappings / 2));
  }

  /** Keeps what is known when the process has ended. */
  refresh(): void {
    this.#refreshed = performance.now();
    let mappings: Mapping[] = [];
    try {
      mappings = requireProcess(this.#pid)
        .mappings()
        .filter(({ executable }) => executable);
    } catch {
      // The process has ended; what was read before still names its addresses.
    }
    this.isGone = mappings.length === 0;
    // Why asked after the reading: it may be that of the program that comes next.
    if (this.isGone || this.#isStale()) return;
    this.#mappings = new Map(mappings.map((mapping) => [placeOf(mapping), mapping]));
    this.names.clear();
  }

  /** The last one: a later mapping hides an older one at the same place. */
  #findKnown(address: number): Mapping | undefined {
    let found: Mapping | undefined;
    for (const mapping of this.#mappings.values())
      if (mapping.start <= address && address < mapping.end) found = mapping;
    return found;
  }
}

function placeOf({ start, end }: Mapping): string {
  return `${start} ${end}`;
}
