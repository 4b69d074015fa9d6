/**
 * Owns the reading of /proc/PID/maps: which bytes of which file lie where in a process.
 * Does not own opening those files, nor who the process is.
 */

/** One mapping of a file, of memory without a file, or of the kernel's own pages (`[vdso]`). */
export interface Mapping {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
  /** In bytes from the start of the file. */
  readonly offset: number;
  /** The file's device as the kernel prints it here (`fe:01`): on overlayfs not what stat says. */
  readonly device: string;
  /** 0 for memory without a file. */
  readonly inode: bigint;
  /** As the process sees it, or `[stack]`, `[vdso]` ..., or empty. */
  readonly path: string;
  /** The directory entry is gone: deleted, or replaced by another file. */
  readonly deleted: boolean;
}

// Kernel: fs/proc/task_mmu.c show_map_vma
//   START-END rwxp OFFSET MAJ:MIN INODE          PATH
const line = /^([0-9a-f]+)-([0-9a-f]+) ([r-])([w-])([x-])[ps] ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+) *(.*)$/;

/** Parses the text of /proc/PID/maps; lines that a newer kernel writes in an unknown form are left out. */
export function parseMappings(text: string): Mapping[] {
  const mappings: Mapping[] = [];
  for (const row of text.split("\n")) {
    const match = line.exec(row);
    if (match === null) continue;
    const [, start, end, read, write, execute, offset, device, inode, name] = match as unknown as string[];
    const address = Number.parseInt(start!, 16);
    // Why: [vsyscall] lies at the end of the address space, where numbers are no longer exact; it holds no program.
    if (!Number.isSafeInteger(address)) continue;
    const deleted = inode !== "0" && name!.endsWith(deletedMark);
    mappings.push({
      start: address,
      end: Number.parseInt(end!, 16),
      readable: read === "r",
      writable: write === "w",
      executable: execute === "x",
      offset: Number.parseInt(offset!, 16),
      device: device!,
      inode: BigInt(inode!),
      path: unescapePath(deleted ? name!.slice(0, -deletedMark.length) : name!),
      deleted,
    });
  }
  return mappings;
}

/** The name of a mapping under /proc/PID/map_files. */
export function mapFileName(mapping: Mapping): string {
  return `${mapping.start.toString(16)}-${mapping.end.toString(16)}`;
}

const deletedMark = " (deleted)";

/** Kernel: seq_path escapes the newline, and nothing else, as three octal digits. */
function unescapePath(name: string): string {
  return name.replaceAll("\\012", "\n");
}
