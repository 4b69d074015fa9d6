/** Looks at real processes: odd names, threads, zombies, kernel threads, ends at the wrong moment, missing rights. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { KernelError, NotFoundError } from "../../src/base/errors.js";
import { parseMappings } from "../../src/target/mappings.js";
import { findProcess, listProcesses, requireProcess } from "../../src/target/process.js";
import { readThread } from "../../src/target/thread.js";
import { allowed, converse, fits } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const waiting = compile("waiting.c", ["-O2", "-pthread"]);

describe("a running program", () => {
  it("is told as /proc has it", async () => {
    await using talk = converse(waiting, ["2"]);
    await talk.line();
    const pid = talk.child.pid!;
    const process_ = requireProcess(pid);
    const status = process_.status();
    expect(status).toMatchObject({ pid, kind: "program", parent: process.pid, threads: 3, seccomp: 0 });
    expect(status.uid).toBe(process.geteuid!());
    expect(process_.executable()).toEqual({ path: waiting, deleted: false });
    expect(process_.sharesFiles()).toBe(true);
    expect(process_.isAlive()).toBe(true);
    expect(process_.environment("PATH")).toBe(process.env["PATH"]);
    expect(process_.environment("NO_SUCH_NAME")).toBeUndefined();
    const code = process_.mappings().filter((mapping) => mapping.path === waiting && mapping.executable);
    expect(code).toHaveLength(1);
    expect(code[0]!.offset % 4096).toBe(0);
  });

  it.each(["a) R (b", "(", "two words", "))((", "tab\there", "line\nbreak", "name (deleted)"])(
    "may be named %j",
    async (name) => {
      const folder = mkdtempSync(join(tmpdir(), "uscope-"));
      symlinkSync(waiting, join(folder, name));
      await using talk = converse(join(folder, name));
      await talk.line();
      rmSync(folder, { recursive: true });
      const status = requireProcess(talk.child.pid!).status();
      expect(status).toMatchObject({ comm: name, kind: "program", parent: process.pid });
    },
  );

  it("may map files of any name", async () => {
    const folder = mkdtempSync(join(tmpdir(), "uscope-"));
    const path = join(folder, "a b\n(deleted)");
    copyFileSync(waiting, path);
    await using talk = converse(path);
    await talk.line();
    const process_ = requireProcess(talk.child.pid!);
    expect(process_.executable()).toEqual({ path, deleted: false });
    expect(process_.mappings().filter((mapping) => mapping.path === path)).not.toEqual([]);
    rmSync(folder, { recursive: true });
    expect(process_.executable()).toEqual({ path, deleted: true });
    expect(process_.mappings().find((mapping) => mapping.path === path)).toMatchObject({ deleted: true });
  });

  it("is not one of its threads", async () => {
    await using talk = converse(waiting, ["1"]);
    await talk.line();
    const pid = talk.child.pid!;
    const thread = readdirSync(`/proc/${pid}/task`)
      .map(Number)
      .find((id) => id !== pid)!;
    expect(() => requireProcess(thread)).toThrow(`${thread} is a thread, not a process`);
    expect(() => requireProcess(thread)).toThrow(`-p ${pid}`);
  });

  it("has ended when it has, at any moment", async () => {
    const talk = converse(waiting);
    await talk.line();
    const process_ = requireProcess(talk.child.pid!);
    await talk[Symbol.asyncDispose]();
    expect(process_.isAlive()).toBe(false);
    for (const ask of [() => process_.status(), () => process_.mappings(), () => process_.executable()]) {
      expect(ask).toThrow(NotFoundError);
    }
    expect(process_.environment("PATH")).toBeUndefined();
    expect(process_.sharesFiles()).toBe(false);
  });
});

/** Processes of family.c whose first thread has ended before the others. */
function findOutlived(): number[] {
  return listProcesses().filter((pid) => {
    const first = readThread(pid, pid);
    return first?.comm.startsWith("family-") && first.state === "Z" && first.threads > 1;
  });
}

it("a process whose first thread has ended lives on in the others", async () => {
  const parent = spawn(compile("family.c", ["-O2", "-pthread"]), { stdio: ["pipe", "pipe", "ignore"] });
  try {
    await once(parent.stdout, "data");
    parent.stdin.write("threads 60000 1\n");
    await expect.poll(findOutlived).toHaveLength(1);
    const [pid] = findOutlived();
    expect(requireProcess(pid!).isAlive()).toBe(true);
    process.kill(pid!, "SIGKILL");
    await expect.poll(() => findProcess(pid!)?.isAlive() ?? false).toBe(false);
  } finally {
    parent.kill("SIGKILL");
  }
});

it.runIf(allowed(process.geteuid!() === 0, "only root can choose process ids"))(
  "a process is not another one that has got its id",
  async () => {
    const talk = converse(waiting);
    await talk.line();
    const pid = talk.child.pid!;
    const process_ = requireProcess(pid);
    expect(process_.isAlive()).toBe(true);
    await talk[Symbol.asyncDispose]();
    // Kernel: a start is told in ticks of 10 ms.
    await sleep(30);
    const parent = spawn(compile("family.c", ["-O2", "-pthread"]), { stdio: ["pipe", "pipe", "ignore"] });
    try {
      await once(parent.stdout, "data");
      parent.stdin.write(`as ${pid} 1000000000000\n`);
      await expect.poll(() => findProcess(pid)?.isAlive()).toBe(true);
      expect(process_.isAlive()).toBe(false);
    } finally {
      parent.kill("SIGKILL");
      process.kill(pid, "SIGKILL");
    }
  },
);

it("a process that never was is not found", () => {
  const most = Number(readFileSync("/proc/sys/kernel/pid_max", "utf8"));
  expect(() => requireProcess(most + 1)).toThrow(`no process ${most + 1}`);
});

it("a zombie maps nothing and has no program", async () => {
  // The shell's child ends once the shell has become a program that never asks for its exit code.
  const parent = spawn("/bin/sh", ["-c", "sleep 0.2 & echo $!; exec sleep 60"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const pid = Number(String((await once(parent.stdout, "data"))[0]).trim());
  try {
    await expect.poll(() => requireProcess(pid).status().kind).toBe("zombie");
    const zombie = requireProcess(pid);
    expect(zombie.isAlive()).toBe(false);
    expect(zombie.mappings()).toEqual([]);
    expect(() => zombie.executable()).toThrow("zombie");
  } finally {
    parent.kill();
  }
});

const hidesThreads = existsSync("/proc/2/comm") ? undefined : "this pid namespace shows no kernel threads";
it.runIf(fits(hidesThreads))("a kernel thread has no program", () => {
  const thread = requireProcess(2);
  expect(thread.status()).toMatchObject({ kind: "kernel-thread", comm: "kthreadd" });
  expect(() => thread.executable()).toThrow("kernel thread");
  expect(thread.mappings()).toEqual([]);
});

it.runIf(allowed(process.geteuid!() === 0, "only root can become another user"))(
  "another user's process may not be looked at: said in a sentence",
  () => {
    process.seteuid!(65534);
    try {
      const other = requireProcess(1);
      expect(other.status().pid).toBe(1);
      expect(() => other.executable()).toThrow(KernelError);
      expect(() => other.mappings()).toThrow("process 1 may not be looked at by this user");
      expect(() => other.mappings()).toThrow("CAP_SYS_PTRACE");
    } finally {
      process.seteuid!(0);
    }
  },
);

const canUnshare = spawnSync("unshare", ["-p", "-f", "true"]).status === 0;
it.runIf(allowed(canUnshare, "only root has pid namespaces"))(
  "a process in a mount namespace of its own does not share its files",
  async () => {
    const child = spawn("unshare", ["-p", "-f", "-m", "--kill-child", waiting], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      await once(child.stdout, "data");
      const pid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim());
      const inner = requireProcess(pid);
      expect(inner.sharesFiles()).toBe(false);
    } finally {
      child.kill("SIGKILL");
    }
  },
);

describe("lines of /proc/PID/maps", () => {
  it("are read in all their forms", () => {
    const text = [
      "55d0c0a00000-55d0c0a01000 r--p 00000000 fe:01 1234                       /usr/bin/a b",
      "55d0c0a01000-55d0c0a02000 r-xp 00001000 fe:01 1234                       /tmp/x (deleted) (deleted)",
      "55d0c0a02000-55d0c0a03000 rw-s 00002000 00:05 99                         /memfd:name (deleted)",
      "55d0c0a03000-55d0c0a04000 r--p 00000000 103:02 18446744073709551615      /a\\012b",
      "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 ",
      "7ffd00000000-7ffd00001000 rw-p 00000000 00:00 0                          [stack]",
      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]",
      "some line of a later kernel",
      "",
    ].join("\n");
    expect(
      parseMappings(text).map(({ path, deleted, inode, device }) => [path, deleted, inode, device]),
    ).toEqual([
      ["/usr/bin/a b", false, 1234n, "fe:01"],
      ["/tmp/x (deleted)", true, 1234n, "fe:01"],
      ["/memfd:name", true, 99n, "00:05"],
      ["/a\nb", false, 18446744073709551615n, "103:02"],
      ["", false, 0n, "00:00"],
      ["[stack]", false, 0n, "00:00"],
    ]);
    expect(parseMappings(text)[1]).toMatchObject({
      start: 0x55d0c0a01000,
      end: 0x55d0c0a02000,
      readable: true,
      writable: false,
      executable: true,
      offset: 0x1000,
    });
  });

  it("are read from this process without loss", () => {
    const text = readFileSync("/proc/self/maps", "utf8");
    const lines = text
      .trim()
      .split("\n")
      .filter((line) => !line.includes("[vsyscall]"));
    expect(parseMappings(text)).toHaveLength(lines.length);
  });
});
