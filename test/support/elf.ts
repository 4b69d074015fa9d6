/** Owns what tests need to read ELF files of this machine: sources over files, and where libraries lie. Does not own any expectation. */
import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
} from "node:fs";
import type { ByteSource } from "../../src/base/bytes.js";
import { readElf, type ElfFile } from "../../src/elf/file.js";

/** A source over a file, read in parts; it counts what was read. The descriptor lives until close(). */
export interface FileSource extends ByteSource, Disposable {
  readonly bytesRead: number;
  close(): void;
}

export function fileSource(path: string): FileSource {
  const fd = openSync(path, "r");
  let bytesRead = 0;
  let isOpen = true;
  const close = (): void => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  return {
    path,
    size: fstatSync(fd).size,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const step = readSync(fd, bytes, done, length - done, offset + done);
        if (step === 0) throw new Error(`${path} became shorter`);
        done += step;
      }
      bytesRead += length;
      return bytes;
    },
    get bytesRead() {
      return bytesRead;
    },
    close,
    [Symbol.dispose]: close,
  };
}

/** Reads a file of this machine; its descriptor stays open until the test process ends. */
export function openElf(path: string): ElfFile {
  return readElf(fileSource(path));
}

/** Finds a library by soname, whole or what it matches, through the loader's cache. */
export function libraryPath(soname: string | RegExp): string {
  const lines = execFileSync("ldconfig", ["-p"], {
    encoding: "utf8",
    env: { PATH: "/usr/sbin:/sbin:/usr/bin:/bin" },
  }).split("\n");
  const line = lines.find((line) => {
    const name = /^\t(\S+) \(libc6,(?:x86-64|AArch64)\)/.exec(line)?.[1];
    return typeof soname === "string" ? name === soname : name !== undefined && soname.test(name);
  });
  if (line === undefined) throw new Error(`ldconfig does not know ${soname}`);
  return realpathSync(line.slice(line.indexOf("=> ") + 3));
}

/** Finds an executable on PATH. */
export function executablePath(name: string): string {
  for (const folder of (process.env["PATH"] ?? "/usr/bin").split(":")) {
    if (existsSync(`${folder}/${name}`)) return realpathSync(`${folder}/${name}`);
  }
  throw new Error(`${name} is not on PATH`);
}

/** Finds every libjvm.so under /usr/lib/jvm. */
export function jvmLibraries(): string[] {
  const root = "/usr/lib/jvm";
  if (!existsSync(root)) return [];
  const paths = readdirSync(root).map((name) => `${root}/${name}/lib/server/libjvm.so`);
  return [...new Set(paths.filter((path) => existsSync(path)).map((path) => realpathSync(path)))];
}

/** Reads a whole file as plain bytes. */
export function fileBytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}
