/** Owns the ELF files that these tests have made: by gcc, by binutils, and by changing single bytes. Does not own what is expected of them. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "../support/programs.js";

const versionScript = fileURLToPath(new URL("../programs/elf-versions.map", import.meta.url));

export const shapes = {
  pie: () => compile("elf-shapes.c", ["-O2", "-rdynamic"]),
  fixed: () => compile("elf-shapes.c", ["-O2", "-no-pie"]),
  static: () => compile("elf-shapes.c", ["-O2", "-static"]),
  library: () =>
    compile("elf-shapes.c", ["-O2", "-shared", "-fPIC", "-DLIBRARY", "-Wl,-soname,libshapes.so.7"]),
  oddLibrary: () =>
    compile("elf-shapes.c", ["-O2", "-shared", "-fPIC", "-DLIBRARY", "-Wl,-Ttext-segment=0x2000000"]),
  stripped: () => compile("elf-shapes.c", ["-O2", "-s"]),
  versions: () =>
    compile("elf-versions.c", ["-O2", "-shared", "-fPIC", `-Wl,--version-script=${versionScript}`]),
  /** A few KB each. */
  tinyLibrary: (hashStyle = "both") =>
    compile("elf-tiny.c", [...tinyFlags, "-shared", "-fPIC", `-Wl,--hash-style=${hashStyle}`]),
  tinyProgram: () => compile("elf-tiny.c", [...tinyFlags, "-static"]),
  tinyVersions: () =>
    compile("elf-versions.c", [...tinyFlags, "-shared", "-fPIC", `-Wl,--version-script=${versionScript}`]),
} as const;

const tinyFlags = ["-Os", "-nostdlib", "-Wl,-z,noseparate-code", "-Wl,--build-id"];

/** A folder for files that a test makes; it is gone afterwards. */
export function withFolder<Result>(work: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), "uscope-elf-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Splits a program into a stripped one and its debug file, as distributions do. */
export function splitDebugFile(path: string, folder: string): { stripped: string; debug: string } {
  const stripped = join(folder, basename(path));
  const debug = `${stripped}.debug`;
  copyFileSync(path, stripped);
  execFileSync("objcopy", ["--only-keep-debug", path, debug]);
  execFileSync("strip", [stripped]);
  execFileSync("objcopy", [`--add-gnu-debuglink=${debug}`, stripped]);
  return { stripped, debug };
}

/** Takes the section headers away, as sstrip does. */
export function withoutSections(bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice();
  const view = new DataView(changed.buffer);
  view.setBigUint64(40, 0n, true);
  view.setUint16(60, 0, true);
  view.setUint16(62, 0, true);
  return changed;
}

/** Assembles and links a program with so many sections that their number does not fit the header; one function in each. */
export function linkManySections(folder: string, count: number): string {
  const source = join(folder, "many.s");
  const lines = Array.from(
    { length: count },
    (_, index) =>
      `.section s${index},"ax"\n.globl f${index}\n.type f${index},%function\nf${index}: nop\n.size f${index},.-f${index}\n`,
  );
  writeFileSync(source, `${lines.join("")}.text\n.globl _start\n_start: nop\n`);
  execFileSync("as", [source, "-o", join(folder, "many.o")]);
  execFileSync("ld", [join(folder, "many.o"), "-o", join(folder, "many")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  return join(folder, "many");
}
