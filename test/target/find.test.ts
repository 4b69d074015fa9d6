/** Finds real files by every kind of name: on this machine, in running processes, replaced files, other mount namespaces. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NotFoundError, UnsupportedError, UsageError } from "../../src/base/errors.js";
import { openBinary } from "../../src/target/binary.js";
import { findTarget, mappedFiles } from "../../src/target/find.js";
import { requireProcess } from "../../src/target/process.js";
import { followBelow } from "../../src/target/rooted-path.js";
import { allowed, converse } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const waiting = compile("waiting.c", ["-O2", "-pthread"]);
const libc = execFileSync("ldconfig", ["-p"], { encoding: "utf8" }).match(
  /libc\.so\.6 \(libc6,.*64.*\) => (.*)/,
)![1]!;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "uscope-find-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("without a process", () => {
  it.each(["c", "libc", "libc.so", "libc.so.6"])("%s is the C library", (name) => {
    expect(findTarget(name)).toEqual({ path: libc, openPath: libc, root: "", notes: [] });
  });

  it("an executable is found on PATH, before a library of its name, which is said", () => {
    const path = process.env["PATH"];
    writeFileSync(join(folder, "c"), readFileSync(waiting), { mode: 0o755 });
    mkdirSync(join(folder, "libc"));
    try {
      process.env["PATH"] = `relative:${folder}:${path}`;
      expect(findTarget("c")).toMatchObject({
        path: join(folder, "c"),
        notes: [expect.stringContaining(libc)],
      });
      chmodSync(join(folder, "c"), 0o644);
      expect(findTarget("c").path).toBe(libc);
      expect(findTarget("libc").path).toBe(libc);
    } finally {
      process.env["PATH"] = path;
    }
    expect(findTarget("redis-server").path).toBe(
      execFileSync("which", ["redis-server"], { encoding: "utf8" }).trim(),
    );
  });

  it("a path is taken as it is, relative to where we are", () => {
    expect(findTarget("./package.json").path).toBe(join(process.cwd(), "package.json"));
    expect(findTarget(waiting).openPath).toBe(waiting);
  });

  it("an unknown name says where it was looked for, and what is near", () => {
    expect(() => findTarget("redis-serve")).toThrow(NotFoundError);
    expect(() => findTarget("redis-serve")).toThrow(
      /PATH \(.*\), libraries .*ld\.so\.cache[^]*did you mean "redis-server"/,
    );
    expect(() => findTarget("libcc.so.6")).toThrow('did you mean "libc.so.6"');
    expect(() => findTarget("libcc.so.6")).toThrow("or a process that runs it with -p PID");
  });

  it("an empty name needs a process", () => {
    expect(() => findTarget("")).toThrow(UsageError);
  });
});

describe("with a process", () => {
  it("its program is meant by nothing, by its name, and by its path", async () => {
    await using talk = converse(waiting);
    await talk.line();
    const process_ = requireProcess(talk.child.pid!);
    const name = waiting.slice(waiting.lastIndexOf("/") + 1);
    for (const target of ["", name, waiting]) {
      const found = findTarget(target, process_);
      expect(found).toMatchObject({ path: waiting, root: "", notes: [] });
      using binary = openBinary(found.path, found.openPath, found.root);
      expect([binary.device, binary.inode]).toEqual(identityOf(waiting));
    }
  });

  it("a library is the one that it maps", async () => {
    const copy = join(folder, "libc.so.6");
    copyFileSync(libc, copy);
    const loader = execFileSync("ldconfig", ["-p"], { encoding: "utf8" }).match(/ld-linux.* => (.*)/)![1]!;
    const child = spawn(loader, ["--library-path", folder, waiting], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      await once(child.stdout, "data");
      const process_ = requireProcess(child.pid!);
      for (const name of ["c", "libc", "libc.so.6"])
        expect(findTarget(name, process_)).toMatchObject({ path: copy, notes: [] });
      expect(mappedFiles(process_).map(({ path }) => path)).toContain(copy);
      expect(findTarget("z", process_).notes).toEqual([`process ${child.pid} has not mapped it so far`]);
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("a program that was deleted or replaced while it runs is the running one, and that is said", async () => {
    const path = join(folder, "program");
    copyFileSync(waiting, path);
    const running = identityOf(path);
    await using talk = converse(path);
    await talk.line();
    const process_ = requireProcess(talk.child.pid!);
    rmSync(path);
    for (const isReplaced of [false, true]) {
      if (isReplaced) copyFileSync(waiting, path);
      for (const name of ["", "program", path]) {
        const found = findTarget(name, process_);
        expect(found.path).toBe(path);
        expect(found.notes).toEqual([expect.stringContaining(`${path} was deleted or replaced`)]);
        using binary = openBinary(found.path, found.openPath, found.root);
        expect([binary.device, binary.inode], name).toEqual(running);
      }
    }
    expect(() => findTarget("nothing-like-it", process_)).toThrow(`what process ${process_.pid} maps`);
  });

  it("a library that was replaced while it is mapped is the mapped one", async () => {
    const copy = join(folder, "libc.so.6");
    copyFileSync(libc, copy);
    const mapped = identityOf(copy);
    const loader = execFileSync("ldconfig", ["-p"], { encoding: "utf8" }).match(/ld-linux.* => (.*)/)![1]!;
    const child = spawn(loader, ["--library-path", folder, waiting], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      await once(child.stdout, "data");
      copyFileSync(libc, join(folder, "new"));
      renameSync(join(folder, "new"), copy);
      const process_ = requireProcess(child.pid!);
      for (const name of ["c", copy]) {
        const found = findTarget(name, process_);
        expect(found.notes).toEqual([expect.stringContaining(`${copy} was deleted or replaced`)]);
        using binary = openBinary(found.path, found.openPath, found.root);
        expect([binary.device, binary.inode]).toEqual(mapped);
        expect(binary.path).toBe(copy);
      }
    } finally {
      child.kill("SIGKILL");
    }
  });

  it.runIf(allowed(spawnSync("unshare", ["-m", "true"]).status === 0, "only root has mount namespaces"))(
    "in a mount namespace of its own, its files are meant, not ours of the same path",
    async () => {
      // Two private copies under one path: ours on disk, its own on a file system that only it sees.
      const path = join(folder, "program");
      copyFileSync("/bin/true", path);
      writeFileSync(join(folder, "only-outside"), readFileSync(waiting), { mode: 0o755 });
      const script = `cp ${waiting} ${folder}/.w 2>/dev/null; cp ${waiting} /dev/shm/w.$$; mount -t tmpfs none ${folder}; mv /dev/shm/w.$$ ${path}; ln -s ${path} ${folder}/absolute; PATH=${folder}:/usr/bin exec ${path}`;
      const child = spawn("unshare", ["-m", "sh", "-c", script], { stdio: ["ignore", "pipe", "inherit"] });
      try {
        await once(child.stdout, "data");
        const process_ = requireProcess(child.pid!);
        const root = `/proc/${child.pid}/root`;
        const inner = identityOf(`${root}${path}`);
        expect(inner).not.toEqual(identityOf(path));
        for (const name of ["", "program", path, `${folder}/absolute`, "absolute"]) {
          const found = findTarget(name, process_);
          expect(found.path, name).toContain(folder);
          using binary = openBinary(found.path, found.openPath, found.root);
          expect([binary.device, binary.inode], name).toEqual(inner);
        }
        expect(() => {
          const { path, openPath, root } = findTarget(join(folder, "only-outside"), process_);
          openBinary(path, openPath, root);
        }).toThrow(NotFoundError);
        expect(() => findTarget("only-outside", process_)).toThrow(`PATH (${folder}:/usr/bin)`);
      } finally {
        child.kill("SIGKILL");
      }
    },
  );
});

describe("paths below a root", () => {
  it("follow links as the process would", () => {
    mkdirSync(join(folder, "etc/alternatives"), { recursive: true });
    symlinkSync("/etc/alternatives/tool", join(folder, "tool"));
    symlinkSync("../../real", join(folder, "etc/alternatives/tool"));
    symlinkSync("../../../../../../outside", join(folder, "escape"));
    symlinkSync("b", join(folder, "a"));
    symlinkSync("a", join(folder, "b"));
    expect(followBelow(folder, "/tool")).toBe("/real");
    expect(followBelow(folder, "/./etc//../tool/x")).toBe("/real/x");
    expect(followBelow(folder, "/escape")).toBe("/outside");
    expect(() => followBelow(folder, "/a")).toThrow("more than 40 symbolic links");
  });
});

describe("what is opened", () => {
  it("must be a file with machine code", () => {
    writeFileSync(join(folder, "script"), "#!/usr/bin/env -S python3 -u\nprint()\n");
    expect(() => openBinary(join(folder, "script"))).toThrow(UnsupportedError);
    expect(() => openBinary(join(folder, "script"))).toThrow("probe its interpreter (python3)");
    expect(() => openBinary(folder)).toThrow("is a folder");
    execFileSync("mkfifo", [join(folder, "pipe")]);
    expect(() => openBinary(join(folder, "pipe"))).toThrow("no regular file");
    expect(() => openBinary(join(folder, "missing"))).toThrow("no file");
    writeFileSync(join(folder, "empty"), "");
    expect(() => openBinary(join(folder, "empty"))).toThrow("the file is empty");
  });

  it("stays the file that was read, whatever its path means by then", () => {
    const path = join(folder, "program");
    copyFileSync(waiting, path);
    using binary = openBinary(path);
    rmSync(path);
    expect(statSync(binary.openPath, { bigint: true }).ino).toBe(binary.inode);
    expect(binary.functions.find("main")).toHaveLength(1);
  });
});

function identityOf(path: string): [device: bigint, inode: bigint] {
  const { dev, ino } = statSync(path, { bigint: true });
  return [dev, ino];
}
