/**
 * Owns one opened ELF file: the descriptor by which it is read and armed, its identity, its functions and debug file.
 * Does not own which file is meant (find.ts) nor which of its functions (functions.ts).
 */
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statfsSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import { FormatError, KernelError, NotFoundError, UnsupportedError } from "../base/errors.js";
import type { ByteSource } from "../base/bytes.js";
import { crc32, debugFilePaths, readDebugLink } from "../elf/debuglink.js";
import { findSection, readElf, type ElfFile } from "../elf/file.js";
import { readBuildId } from "../elf/notes.js";
import { mergeFunctionTables, readFunctionTable, type FunctionTable } from "../elf/symbols.js";
import type { MarkerTable } from "../usdt/marker.js";
import { readMarkers } from "../usdt/notes.js";

export interface Binary extends Disposable {
  /** As people know it. */
  readonly path: string;
  readonly fd: number;
  /** What the kernel is told to open: the very file that was read, whatever its path means by now. */
  readonly openPath: string;
  readonly device: bigint;
  readonly inode: bigint;
  /** Its content when it was opened, as far as size and time of change tell. */
  readonly stamp: string;
  readonly source: ByteSource;
  readonly elf: ElfFile;
  readonly buildId: string | undefined;
  /** Of the file's own tables, and of its debug file where it has no full table. */
  readonly functions: FunctionTable;
  /** Of its notes (USDT). */
  readonly markers: MarkerTable;
  /** The debug file that `functions` used. */
  readonly debugPath: string | undefined;
  /** Lacks the full table of functions, and no debug file has it. */
  readonly isStripped: boolean;
  close(): void;
}

/**
 * Opens a file; `opened` says where it lies for us when that is not its path (below /proc/PID/root, map_files ...).
 * Throws NotFoundError, KernelError, UnsupportedError for what is no program, FormatError for what is damaged.
 */
export function openBinary(path: string, opened = path, root = ""): Binary {
  const fd = openFile(path, opened);
  try {
    return new OpenBinary(path, fd, root);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** What changes when a file is overwritten in place. */
export function stampOf({ size, mtimeNs }: Pick<BigIntStats, "size" | "mtimeNs">): string {
  return `${size} ${mtimeNs}`;
}

/** The same file for the kernel: equal device and inode. */
export function isSameFile(
  left: Pick<Binary, "device" | "inode">,
  right: Pick<Binary, "device" | "inode">,
): boolean {
  return left.inode === right.inode && left.device === right.device;
}

/**
 * Says whether two files that are not the same to stat are one inode to the kernel's probes: seen through two overlay mounts,
 * or through one and beside it. Kernel: overlayfs shows a lower file's own inode number and times on a device of the mount's.
 */
export function isTwinFile(left: Pick<Binary, "fd">, right: Pick<Binary, "fd">): boolean {
  const [one, other] = [left, right].map(({ fd }) => fstatSync(fd, { bigint: true })) as [
    BigIntStats,
    BigIntStats,
  ];
  return (
    one.ino === other.ino &&
    one.size === other.size &&
    one.ctimeNs === other.ctimeNs &&
    one.mtimeNs === other.mtimeNs &&
    (isOnOverlay(left.fd) || isOnOverlay(right.fd))
  );
}

/** Kernel: OVERLAYFS_SUPER_MAGIC, include/uapi/linux/magic.h. */
const overlayMagic = 0x794c7630;

function isOnOverlay(fd: number): boolean {
  return statfsSync(`/proc/self/fd/${fd}`).type === overlayMagic;
}

class OpenBinary implements Binary {
  readonly path: string;
  readonly fd: number;
  readonly openPath: string;
  readonly device: bigint;
  readonly inode: bigint;
  readonly stamp: string;
  readonly source: ByteSource;
  readonly elf: ElfFile;
  readonly #root: string;
  #buildId: { readonly value: string | undefined } | undefined;
  #functions: FunctionTable | undefined;
  #markers: MarkerTable | undefined;
  #debug: { readonly file: OpenBinary | undefined } | undefined;
  #isClosed = false;

  constructor(path: string, fd: number, root: string) {
    const status = fstatSync(fd, { bigint: true });
    if (!status.isFile()) throw notFile(path, status.isDirectory());
    this.path = path;
    this.fd = fd;
    this.openPath = `/proc/self/fd/${fd}`;
    this.device = status.dev;
    this.inode = status.ino;
    this.stamp = stampOf(status);
    this.source = descriptorSource(path, fd, Number(status.size));
    this.#root = root;
    requireNoScript(this.source);
    this.elf = readElf(this.source);
  }

  get buildId(): string | undefined {
    this.#buildId ??= { value: readBuildId(this.elf) };
    return this.#buildId.value;
  }

  get functions(): FunctionTable {
    if (this.#functions !== undefined) return this.#functions;
    const own = readFunctionTable(this.elf);
    const debug = this.#debugFile();
    return (this.#functions =
      debug === undefined ? own : mergeFunctionTables(own, readFunctionTable(debug.elf, ["symtab"])));
  }

  get markers(): MarkerTable {
    return (this.#markers ??= readMarkers(this.elf, () => this.#debugFile()?.elf));
  }

  get debugPath(): string | undefined {
    void this.functions;
    return this.#debug?.file?.path;
  }

  get isStripped(): boolean {
    return !hasFullTable(this.elf) && this.debugPath === undefined;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#debug?.file?.close();
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** None where the file has a full table itself. */
  #debugFile(): OpenBinary | undefined {
    this.#debug ??= { file: hasFullTable(this.elf) ? undefined : this.#openDebugFile() };
    return this.#debug.file;
  }

  /** A debug file that is missing, foreign or damaged is no error: the file's own names remain. */
  #openDebugFile(): OpenBinary | undefined {
    try {
      const link = readDebugLink(this.elf);
      for (const candidate of debugFilePaths(this.buildId, link, this.#realPath())) {
        for (const root of this.#root === "" ? [""] : [this.#root, ""]) {
          const file = attempt(() => openBinary(candidate, root + candidate) as OpenBinary);
          if (file === undefined) continue;
          if (this.#isDebugFile(file, link?.crc)) return file;
          file.close();
        }
      }
    } catch {
      return undefined;
    }
    return undefined;
  }

  #isDebugFile(file: OpenBinary, crc: number | undefined): boolean {
    return (
      attempt(() => {
        if (!hasFullTable(file.elf)) return false;
        if (this.buildId !== undefined && file.buildId !== undefined) return file.buildId === this.buildId;
        return crc !== undefined && crc32(file.source) === crc;
      }) ?? false
    );
  }

  #realPath(): string {
    return this.#root === "" ? (attempt(() => realpathSync(this.path)) ?? this.path) : this.path;
  }
}

function hasFullTable(elf: ElfFile): boolean {
  return findSection(elf, ".symtab") !== undefined;
}

/** Reads parts of an open file; a file that has shrunk meanwhile is a damaged one. */
function descriptorSource(path: string, fd: number, size: number): ByteSource {
  return {
    path,
    size,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const count = readSync(fd, bytes, done, length - done, offset + done);
        if (count === 0) {
          throw new FormatError({
            what: "the file became shorter while it was read",
            at: `${path}, byte ${offset + done} of ${size}`,
            fix: "it is being written: try again when it is complete",
          });
        }
        done += count;
      }
      return bytes;
    },
  };
}

function openFile(path: string, opened: string): number {
  try {
    // Why: without O_NONBLOCK the open of a named pipe would wait for a writer.
    return openSync(opened, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code, errno, syscall } = error as NodeJS.ErrnoException;
    const at = opened === path ? path : `${path} (${opened})`;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ESRCH") {
      throw new NotFoundError(
        {
          what: `no file ${path}`,
          at,
          fix: "check the path; a name without / is looked up on PATH and among libraries",
        },
        { cause: error },
      );
    }
    throw new KernelError({
      what: `${path} cannot be opened: ${/^\w+: ([^,]+)/.exec((error as Error).message)?.[1] ?? "refused"} (${code ?? "unknown error"})`,
      at,
      fix: openingFix(code, opened !== path),
      call: syscall ?? "open",
      errno: -(errno ?? 0),
    });
  }
}

function openingFix(code: string | undefined, isThroughProcess: boolean): string {
  if (code === "EMFILE" || code === "ENFILE")
    return "raise the limit of open files (ulimit -n), or name fewer files";
  if (code !== "EACCES" && code !== "EPERM") return "check the path and the file system";
  return isThroughProcess
    ? "run uscope as root, or with CAP_SYS_PTRACE: files of another user's process are reached through /proc"
    : "run uscope as a user who may read the file";
}

function requireNoScript(source: ByteSource): void {
  if (source.size < 2) return;
  const first = new TextDecoder("latin1").decode(source.read(0, Math.min(source.size, 128)));
  if (!first.startsWith("#!")) return;
  const interpreter = first.slice(2).split("\n")[0]!.trim();
  throw new UnsupportedError({
    what: `${source.path} is a script: its functions are not machine code`,
    at: `${source.path}, first line: #!${interpreter}`,
    fix: `probe its interpreter (${interpreter.split(/\s+/).findLast((word) => !word.startsWith("-")) ?? "see its first line"})`,
  });
}

function notFile(path: string, isFolder: boolean): UnsupportedError {
  return new UnsupportedError({
    what: isFolder ? `${path} is a folder, not a program or library` : `${path} is no regular file`,
    at: path,
    fix: isFolder ? "name a program or library in it" : "name a program or library: an ELF file",
  });
}

function attempt<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
