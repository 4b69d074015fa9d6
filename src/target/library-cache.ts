/**
 * Owns the reading of /etc/ld.so.cache, in which the dynamic loader looks up libraries by soname.
 * Does not own short names, folders or processes: see find.ts.
 */
import { FormatError } from "../base/errors.js";

export interface CachedLibrary {
  readonly soname: string;
  readonly path: string;
  /** The folder of the CPU level that it was built for (`x86-64-v3`); undefined for the baseline. */
  readonly level: string | undefined;
}

export type CacheMachine = "x86-64" | "arm64";

// Spec: glibc sysdeps/generic/dl-cache.h, struct cache_file_new, all little-endian
//   0 "glibc-ld.so.cache1.1" | 20 entries u32 | 24 bytes of strings u32 | 28 flags u8, 3 unused | 32 extensions u32 | 36 unused
//   48: entries of 24 bytes: flags i32 | name u32 | path u32 | os version u32 | hwcap u64
// Name and path are offsets from the magic. An older table of 12-byte entries ("ld.so-1.7.0") may stand before it.
const magic = "glibc-ld.so.cache1.1";
const oldMagic = "ld.so-1.7.0";
const headerBytes = 48;
const entryBytes = 24;
/** Spec: FLAG_ELF_LIBC6 with the machine's FLAG_X8664_LIB64 or FLAG_AARCH64_LIB64. */
const wantedFlags: Record<CacheMachine, number> = { "x86-64": 0x0303, arm64: 0x0a03 };

/** Reads the machine's entries in the order of the cache. Throws a FormatError when it is no such cache or damaged. */
export function readLibraryCache(path: string, bytes: Uint8Array, machine: CacheMachine): CachedLibrary[] {
  const text = new TextDecoder("latin1");
  const startsWith = (at: number, word: string): boolean =>
    text.decode(bytes.subarray(at, at + word.length)) === word;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let base = 0;
  if (startsWith(0, oldMagic) && bytes.length >= 16) base = (16 + view.getUint32(12, true) * 12 + 7) & ~7;
  if (!startsWith(base, magic)) throw damaged(path, "the file does not begin as ldconfig writes it");
  const count = base + headerBytes <= bytes.length ? view.getUint32(base + 20, true) : 0;
  if (base + headerBytes + count * entryBytes > bytes.length)
    throw damaged(path, `it claims ${count} libraries`);
  const stringAt = (offset: number): string => {
    const start = base + offset;
    const end = bytes.indexOf(0, start);
    if (start >= bytes.length || end === -1) throw damaged(path, `a name at ${offset} lies outside`);
    return utf8.decode(bytes.subarray(start, end));
  };
  const levels = readLevels(view, base, stringAt);
  const libraries: CachedLibrary[] = [];
  for (let index = 0; index < count; index++) {
    const at = base + headerBytes + index * entryBytes;
    if (view.getInt32(at, true) !== wantedFlags[machine]) continue;
    const hwcap = view.getBigUint64(at + 16, true);
    // Spec: with DL_CACHE_HWCAP_EXTENSION (and perhaps an ISA level, 10 bits) in the high half the low half is an index;
    // other bits are legacy, which loaders since glibc 2.37 ignore.
    const isLevel = ((hwcap >> 32n) & ~0x3ffn) === 1n << 30n;
    if (hwcap !== 0n && !isLevel) continue;
    libraries.push({
      soname: stringAt(view.getUint32(at + 4, true)),
      path: stringAt(view.getUint32(at + 8, true)),
      level: isLevel ? (levels[Number(hwcap & 0xffff_ffffn)] ?? "unknown") : undefined,
    });
  }
  return libraries;
}

// Spec: struct cache_extension: magic u32, count u32, then { tag u32 | flags u32 | offset u32 | bytes u32 }; tag 1 is the
// list of glibc-hwcaps folders, u32 offsets of their names. Offsets count from the magic of the cache.
function readLevels(view: DataView, base: number, stringAt: (offset: number) => string): string[] {
  const at = base + view.getUint32(base + 32, true);
  if (at === base || at + 8 > view.byteLength || view.getUint32(at, true) !== 0xeaa4_2174) return [];
  const sections = Math.min(view.getUint32(at + 4, true), 16);
  for (let index = 0; index < sections && at + 24 + index * 16 <= view.byteLength; index++) {
    const section = at + 8 + index * 16;
    if (view.getUint32(section, true) !== 1) continue;
    const names = base + view.getUint32(section + 8, true);
    const count = Math.min(view.getUint32(section + 12, true) >> 2, 64);
    if (names + count * 4 > view.byteLength) return [];
    return Array.from({ length: count }, (_, level) => stringAt(view.getUint32(names + level * 4, true)));
  }
  return [];
}

/** Says which of the loader's CPU levels this machine has, best first. Spec: x86-64 psABI, micro-architecture levels. */
export function supportedLevels(cpuFlags: ReadonlySet<string>): string[] {
  const supported: string[] = [];
  for (const [level, flags] of levelFlags) {
    if (!flags.every((flag) => cpuFlags.has(flag))) break;
    supported.unshift(level);
  }
  return supported;
}

/** By the names of /proc/cpuinfo; each level includes the ones before it. */
const levelFlags: readonly (readonly [string, readonly string[]])[] = [
  ["x86-64-v2", ["cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"]],
  ["x86-64-v3", ["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"]],
  ["x86-64-v4", ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]],
];

const utf8 = new TextDecoder();

function damaged(path: string, detail: string): FormatError {
  return new FormatError({
    what: `the loader's cache cannot be read: ${detail}`,
    at: path,
    fix: "run ldconfig, or name the library by its path",
  });
}
