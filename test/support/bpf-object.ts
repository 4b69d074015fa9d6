/**
 * Owns asking other people's tools about eBPF bytes: wraps them in an ELF object and gives it to bpftool (and so to this kernel) or llvm-objdump.
 * Does not own loading as uscope does it, which is src/kernel.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { needs, requires } from "./kernel.js";

/** Sections as libbpf names program types. */
export type Section = "socket" | "uprobe" | "uprobe.s";

/** Says whether the kernel can be asked here, for `test.runIf(canAskKernel())`. */
export function canAskKernel(): boolean {
  return requires("bpftool") && needs("ring buffer");
}

/** Says whether this kernel is at least of a version such as "6.6". */
export function kernelSince(version: string): boolean {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = version.split(".").map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** The verifier's word on a program. */
export function askVerifier(code: Uint8Array, section: Section): { loaded: boolean; log: string } {
  const { loaded, log } = load(code, section, () => "");
  return { loaded, log };
}

/** What `bpftool prog dump xlated` prints of a loaded program. */
export function dumpTranslated(code: Uint8Array): string {
  const { loaded, log, answer } = load(code, "uprobe", (pin) =>
    run(["prog", "dump", "xlated", "pinned", pin]),
  );
  if (!loaded) throw new Error(log);
  return answer;
}

/** Loads a socket filter, runs it once in the kernel and returns r0, which is 32 bits wide there. */
export function runInKernel(code: Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), "uscope-bpf-"));
  try {
    writeFileSync(join(folder, "packet"), new Uint8Array(64));
    const { loaded, log, answer } = load(code, "socket", (pin) =>
      run(["-j", "prog", "run", "pinned", pin, "data_in", join(folder, "packet")]),
    );
    if (!loaded) throw new Error(log);
    const { retval } = JSON.parse(answer) as { retval: number };
    return retval >>> 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Writes the code as the only program of an eBPF object file. */
export function writeObject(path: string, code: Uint8Array, section: Section): void {
  writeFileSync(path, objectFile(code, section));
}

let loads = 0;

function load(
  code: Uint8Array,
  section: Section,
  ask: (pin: string) => string,
): { loaded: boolean; log: string; answer: string } {
  const folder = mkdtempSync(join(tmpdir(), "uscope-bpf-"));
  const pin = `/sys/fs/bpf/uscope-test-${process.pid}-${++loads}`;
  try {
    const file = join(folder, "program.o");
    writeObject(file, code, section);
    const { status, stdout, stderr } = spawnSync("bpftool", ["-d", "prog", "load", file, pin], {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    });
    return { loaded: status === 0, log: stdout + stderr, answer: status === 0 ? ask(pin) : "" };
  } finally {
    if (existsSync(pin)) rmSync(pin);
    rmSync(folder, { recursive: true });
  }
}

function run(given: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("bpftool", given, { encoding: "utf8", maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`bpftool ${given.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

/**
 *     ELF header | code | "GPL\0" | strings | symbols | section headers
 *
 * Sections: none, the code, license, .strtab, .symtab with one global function.
 */
function objectFile(code: Uint8Array, section: Section): Uint8Array {
  const names = ["", section, "license", ".strtab", ".symtab", "program"];
  const strings = new TextEncoder().encode(`${names.join("\0")}\0`);
  const nameAt = (name: string): number => names.slice(0, names.indexOf(name)).join("\0").length + 1;
  const symbols = new Uint8Array(48);
  const symbol = new DataView(symbols.buffer, 24);
  symbol.setUint32(0, nameAt("program"), true);
  symbol.setUint8(4, 0x12); // global function
  symbol.setUint16(6, 1, true);
  symbol.setBigUint64(16, BigInt(code.length), true);

  const license = new TextEncoder().encode("GPL\0");
  const parts = [
    { name: section, type: 1, flags: 6, bytes: code, link: 0, size: 0 },
    { name: "license", type: 1, flags: 3, bytes: license, link: 0, size: 0 },
    { name: ".strtab", type: 3, flags: 0, bytes: strings, link: 0, size: 0 },
    { name: ".symtab", type: 2, flags: 0, bytes: symbols, link: 3, size: 24 },
  ];
  const places: number[] = [];
  let end = 64;
  for (const { bytes } of parts) {
    places.push(end);
    end = Math.ceil((end + bytes.length) / 8) * 8;
  }
  const file = new Uint8Array(end + 64 * 5);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 1, true); // relocatable
  view.setUint16(18, 247, true); // eBPF
  view.setUint32(20, 1, true);
  view.setBigUint64(40, BigInt(end), true);
  view.setUint16(52, 64, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, 5, true);
  view.setUint16(62, 3, true);
  for (const [index, { name, type, flags, bytes, link, size }] of parts.entries()) {
    const place = places[index] ?? 0;
    file.set(bytes, place);
    const at = end + 64 * (index + 1);
    view.setUint32(at, nameAt(name), true);
    view.setUint32(at + 4, type, true);
    view.setBigUint64(at + 8, BigInt(flags), true);
    view.setBigUint64(at + 24, BigInt(place), true);
    view.setBigUint64(at + 32, BigInt(bytes.length), true);
    view.setUint32(at + 40, link, true);
    view.setUint32(at + 44, type === 2 ? 1 : 0, true); // symbols: the first that is not local
    view.setBigUint64(at + 48, 8n, true);
    view.setBigUint64(at + 56, BigInt(size), true);
  }
  return file;
}
