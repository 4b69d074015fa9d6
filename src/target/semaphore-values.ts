/**
 * Owns the live values of markers' semaphores in one process: how many tracers watch a place there now.
 * Does not own where a semaphore lies in its file (semaphores.ts).
 */
import { closeSync, openSync, readSync } from "node:fs";
import type { FileOffset } from "../base/bytes.js";
import type { Binary } from "./binary.js";
import { isSameDevice } from "./mapped-binaries.js";
import type { Mapping } from "./mappings.js";
import type { ProcessInfo } from "./process.js";

export class SemaphoreValues implements Disposable {
  readonly #process: ProcessInfo;
  readonly #mappings: readonly Mapping[];
  #memory: number | undefined;

  constructor(process: ProcessInfo) {
    this.#process = process;
    this.#mappings = process.mappings();
  }

  /** Reads one, by its place in its file; or says why it cannot be read. */
  read(binary: Binary, offset: FileOffset): number | string {
    const { pid } = this.#process;
    const mapping = this.#find(binary, offset);
    if (mapping === undefined) return `process ${pid} has not mapped it`;
    const bytes = new Uint8Array(2);
    try {
      this.#memory ??= openSync(`/proc/${pid}/mem`, "r");
      const count = readSync(this.#memory, bytes, 0, bytes.length, mapping.start + (offset - mapping.offset));
      // Kernel: mem_rw reads nothing once the process has ended.
      if (count < bytes.length) return `process ${pid} has ended`;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      return `the memory of process ${pid} cannot be read (${code})`;
    }
    return new DataView(bytes.buffer).getUint16(0, true);
  }

  [Symbol.dispose](): void {
    if (this.#memory !== undefined) closeSync(this.#memory);
    this.#memory = undefined;
  }

  /** Why the writable one: the same bytes may be mapped with the code beside it, and stay as they are in the file there. */
  #find(binary: Binary, offset: FileOffset): Mapping | undefined {
    return this.#mappings.find(
      (mapping) =>
        mapping.writable &&
        mapping.inode === binary.inode &&
        isSameDevice(mapping.device, binary.device) !== false &&
        offset >= mapping.offset &&
        offset < mapping.offset + (mapping.end - mapping.start),
    );
  }
}
