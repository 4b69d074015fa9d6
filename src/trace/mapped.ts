/**
 * Owns telling the symbolizer what processes map, as the kernel reports it, so that addresses of a process that has ended can be named.
 * Does not own naming them (target/symbolize.ts).
 */
import { openProcessEvents } from "../kernel/perf-events.js";
import type { Symbolizer } from "../target/symbolize.js";

export interface FollowedMappings extends Disposable {
  /** Takes in what has come until now. */
  drain(): void;
}

/** Follows every process of the machine from now on. Kernel: mmap2 records without PERF_RECORD_MISC_MMAP_DATA are executable mappings. */
export function followMappings(symbolizer: Symbolizer): FollowedMappings {
  return openProcessEvents({
    onFork: ({ pid, parent }) => {
      if (pid !== parent) symbolizer.inherit(pid, parent);
    },
    onExec: ({ pid }) => symbolizer.forget(pid),
    onMap: ({ pid, path, inode, device, address, length, offset }) => {
      const start = Number(address);
      symbolizer.learn(pid, {
        start,
        end: start + Number(length),
        readable: true,
        writable: false,
        executable: true,
        offset: Number(offset),
        device,
        inode,
        path,
        deleted: false,
      });
    },
  });
}
