/** Files that appear while a trace runs: libraries that are loaded, programs that start, other content behind the same name. */
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { runCli, startCli } from "../support/cli.js";
import type { RunningCli } from "../support/cli.js";
import { compile } from "../support/programs.js";

const isRoot = process.geteuid?.() === 0;
const late = compile("late.c", ["-O2", "-ldl"]);
const folder = mkdtempSync(join(tmpdir(), "uscope-late-"));
let copies = 0;

/** A copy of the library in a folder of its own: another file of the same name. */
function freshLibrary(name: string, flags: readonly string[] = []): string {
  const path = join(folder, `${copies++}`, name);
  mkdirSync(dirname(path));
  copyFileSync(compile("late-library.c", ["-O2", "-shared", "-fPIC", ...flags]), path);
  return path;
}

function freshProgram(name: string, version: number): string {
  const path = join(folder, `${copies++}`, name);
  mkdirSync(dirname(path));
  copyFileSync(compile("late-library.c", ["-O2", "-DPROGRAM", `-DVERSION=${version}`]), path);
  return path;
}

const started: ChildProcessWithoutNullStreams[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Late {
  readonly pid: number;
  /** Sends a line and resolves with the answer. */
  ask(line: string): Promise<string>;
}

/** Starts the program that loads what it is told to; `words`: another command that becomes it. */
async function startLate(words: readonly string[] = [late]): Promise<Late> {
  const child = spawn(words[0]!, words.slice(1), { stdio: "pipe" });
  started.push(child);
  let text = "";
  const answers: string[] = [];
  child.stdout.on("data", (piece: Buffer) => {
    const lines = (text + piece.toString()).split("\n");
    text = lines.pop()!;
    answers.push(...lines);
  });
  const next = async (): Promise<string> => {
    for (let tries = 0; tries < 4000 && answers.length === 0; tries++) await sleep(5);
    return answers.shift() ?? "silence";
  };
  const first = await next();
  const inside = /^inside (\d+)$/.exec(first)?.[1];
  expect(inside === undefined ? first : await next()).toMatch(/^ready \d+$/);
  return {
    pid: Number(inside ?? child.pid!),
    async ask(line) {
      child.stdin.write(`${line}\n`);
      return await next();
    },
  };
}

async function startTrace(...words: readonly string[]): Promise<RunningCli> {
  const trace = startCli(["trace", ...words]);
  await trace.until("stderr", /armed \d+ place/);
  return trace;
}

async function stop(trace: RunningCli): Promise<{ readonly stdout: string; readonly stderr: string }> {
  // Why: what was seen last may wait for the next look.
  await sleep(150);
  trace.signal("SIGINT");
  return await trace.ended;
}

/** Milliseconds from a mapping to the first event behind it whose message is `NANOSECONDS VALUE`. */
function delayOf(stdout: string, opened: string, value: number): number {
  const [, time] = new RegExp(` (\\d+) ${value}$`, "m").exec(stdout) ?? [];
  if (time === undefined) throw new Error(`no event with ${value} in:\n${stdout}`);
  return Number((BigInt(time) - BigInt(opened.slice("open ".length))) / 1000n) / 1000;
}

/** The values of all lines, each once. */
function valuesOf(stdout: string): number[] {
  const lines = stdout.trim().split("\n").slice(1);
  return [...new Set(lines.map((line) => Number(line.split(/\s+/).at(-1))))].sort(
    (left, right) => left - right,
  );
}

describe.runIf(isRoot)("a library that is loaded later", () => {
  test("is traced within half a second, by a name that was unknown before", async () => {
    const process_ = await startLate();
    await using trace = await startTrace(
      "-p",
      `${process_.pid}`,
      'liblate.so:late_work "%llu %d", nsecs, arg1',
    );
    expect(trace.stderr).toContain('no program or library "liblate.so" so far: waits');
    const opened = await process_.ask(`open ${freshLibrary("liblate.so")}`);
    expect(opened).toMatch(/^open \d+$/);
    await process_.ask("call late_work 600 42");
    const { stdout, stderr } = await stop(trace);
    const delay = delayOf(stdout, opened, 42);
    expect(delay).toBeGreaterThan(0);
    expect(delay).toBeLessThan(500);
    expect(stderr).toMatch(
      new RegExp(`armed 1 place in \\S+/liblate.so, which process ${process_.pid} has mapped`),
    );
  });

  test("is traced in all its copies, and in no other process", async () => {
    const [process_, other] = [await startLate(), await startLate()];
    const paths = [1, 2, 3].map((version) => freshLibrary("liblate.so.1", [`-DVERSION=${version}`]));
    await using trace = await startTrace("-p", `${process_.pid}`, 'r:liblate:late_work "%d", retval');
    for (const [index, path] of paths.entries()) {
      for (const { ask } of [process_, other]) await ask(`open ${path}`);
      await process_.ask(`call late_work 300 ${index}`);
      await other.ask("call late_work 50 77");
    }
    const { stdout, stderr } = await stop(trace);
    expect(valuesOf(stdout)).toEqual([1000, 2001, 3002]);
    for (const path of paths) expect(stderr).toContain(`armed 1 place in ${path}`);
  });

  test("is traced in a second process that maps it later", async () => {
    const [one, two] = [await startLate(), await startLate()];
    const path = freshLibrary("liblate.so");
    await using trace = await startTrace(
      "-p",
      `${one.pid}`,
      "-p",
      `${two.pid}`,
      'liblate:late_work "%d", arg1',
    );
    for (const [index, { ask }] of [one, two].entries()) {
      await ask(`open ${path}`);
      await ask(`call late_work 300 ${index}`);
    }
    const { stdout, stderr } = await stop(trace);
    for (const { pid } of [one, two])
      expect(stderr).toContain(`armed 1 place in ${path}, which process ${pid} has mapped`);
    expect(valuesOf(stdout)).toEqual([0, 1]);
    // Why: armed twice in one process, each call would be two lines.
    expect(stdout.split("\n").length).toBeLessThan(2 + 600);
  });

  test("has its markers traced, whatever it is called, with the types of the first file", async () => {
    const process_ = await startLate();
    await using trace = await startTrace("-p", `${process_.pid}`, 'u::late:worked "%llu %d", nsecs, arg1');
    const opened = await process_.ask(`open ${freshLibrary("first.so", ["-DVERSION=1"])}`);
    await process_.ask("call late_work 300 -1001");
    await process_.ask(`open ${freshLibrary("second.bin", ["-DNARROW", "-DVERSION=2"])}`);
    await process_.ask("call late_work 300 -2007");
    const { stdout, stderr } = await stop(trace);
    expect(delayOf(stdout, opened, -1)).toBeLessThan(500);
    expect(valuesOf(stdout)).toEqual([-7, -1]);
    expect(stderr).toMatch(/ended; \d+ events shown/);
    expect(stderr).not.toContain("lost");
    expect(stderr).not.toContain("skipped");
  });

  test("is refused where its marker has wider values than the first file's", async () => {
    const process_ = await startLate();
    await using trace = await startTrace("-p", `${process_.pid}`, 'u::late:worked "%d", arg1');
    await process_.ask(`open ${freshLibrary("first.so", ["-DNARROW", "-DVERSION=1"])}`);
    await process_.ask("call late_work 300 -1001");
    await process_.ask(`open ${freshLibrary("second.so", ["-DVERSION=100"])}`);
    await sleep(300);
    await process_.ask("call late_work 300 5");
    const { stdout, stderr } = await stop(trace);
    expect(valuesOf(stdout)).toEqual([-1]);
    expect(stderr).toMatch(
      /skipped \S+second\.so: arg1 cannot be read here: a signed number of 32 bits does not fit into a signed number of 16 bits/,
    );
  });

  test("is refused where its values lie in too many ways", async () => {
    const process_ = await startLate();
    await using trace = await startTrace("-p", `${process_.pid}`, 'u::late:worked "%d", arg1');
    await process_.ask(`open ${freshLibrary("many.so", ["-DMANY"])}`);
    await sleep(300);
    const { stderr } = await stop(trace);
    expect(stderr).toMatch(/skipped \S+many\.so: its values lie in 301 ways, and 256 are the most/);
  });

  test("that lacks the function is named at the end", async () => {
    const process_ = await startLate();
    await using trace = await startTrace("-p", `${process_.pid}`, "liblate:no_such_function");
    await process_.ask(`open ${freshLibrary("liblate.so")}`);
    await sleep(300);
    const { stderr } = await stop(trace);
    expect(stderr).toMatch(/skipped \S+liblate\.so: no function "no_such_function" in liblate/);
  });

  test("is counted by function", async () => {
    const process_ = await startLate();
    await using count = startCli(["count", "-p", `${process_.pid}`, "liblate:late_*"]);
    await count.until("stderr", /armed 0 places/);
    await process_.ask(`open ${freshLibrary("liblate.so")}`);
    await process_.ask("call late_work 400 1");
    await sleep(150);
    count.signal("SIGINT");
    const { stdout } = await count.ended;
    expect(
      Number(/(\d+)\s+late_work|late_work\s+(\d+)/.exec(stdout)?.slice(1).find(Boolean)),
    ).toBeGreaterThan(100);
  });
});

describe.runIf(isRoot)("what the kernel could not tell", () => {
  test("is found by looking at all that is mapped", async () => {
    const process_ = await startLate();
    const program = freshProgram("noise", 0);
    await using trace = await startTrace("-p", `${process_.pid}`, 'liblate:late_work "%d", arg1');
    // Why: it looks at all that is mapped once when it begins.
    await sleep(300);
    trace.signal("SIGSTOP");
    // Why so many: each maps four files, and records of some 2,000 mappings find room for each CPU.
    await process_.ask(`run 4000 ${program}`);
    await process_.ask(`open ${freshLibrary("liblate.so")}`);
    trace.signal("SIGCONT");
    await trace.until("stderr", /armed 1 place in \S+liblate.so/);
    await process_.ask("call late_work 20 6");
    const { stdout } = await stop(trace);
    expect(new Set(valuesOf(stdout))).toEqual(new Set([6]));
  });

  test("is no hit, and said to be none, where nothing was mapped", async () => {
    const process_ = await startLate();
    await using trace = await startTrace("-p", `${process_.pid}`, "u::late:worked");
    expect(trace.stderr).toContain("so far: waits until a process that is traced maps a file that has it");
    const { stderr } = await stop(trace);
    expect(stderr).toContain("no hit: no process that is traced has mapped a file with it");
  });

  test("is no hit where it was called before, or has only a name much like it, and both are said", async () => {
    const process_ = await startLate();
    await using trace = await startTrace("-p", `${process_.pid}`, "u::late:worked", "u::late:wroked");
    const path = freshLibrary("libfirst.so");
    await process_.ask(`open ${path}`);
    await trace.until("stderr", /libfirst\.so, which process/);
    const { stderr } = await stop(trace);
    expect(stderr).toMatch(/libfirst\.so was armed \d+ ms after it was mapped, and nothing passed it since/);
    expect(stderr).toContain('no hit: did you mean "worked"?');
  });
});

describe.runIf(isRoot)("a program that is started later", () => {
  test("by a traced process has its markers traced with --children, and no stranger", async () => {
    const [process_, stranger] = [await startLate(), await startLate()];
    const [mine, theirs] = [freshProgram("mine", 1), freshProgram("theirs", 2)];
    await using trace = await startTrace("-p", `${process_.pid}`, "--children", 'u::late:worked "%d", arg1');
    await Promise.all([process_.ask(`run 1 ${mine} 400`), stranger.ask(`run 1 ${theirs} 400`)]);
    const { stdout } = await stop(trace);
    const values = valuesOf(stdout);
    expect(values.at(-1)).toBe(1399);
    expect(values[0]).toBeGreaterThanOrEqual(1000);
    expect(values.length).toBeGreaterThan(100);
  });

  test("by a command is traced by the name of its library", async () => {
    const path = freshLibrary("liblate.so");
    const { stdout, stderr, status } = await runCli([
      "trace",
      'liblate.so:late_work "%d", arg1',
      "--",
      late,
      path,
      "late_work",
      "500",
      "9",
    ]);
    expect(stderr).toContain(`armed 1 place in ${path}`);
    expect(valuesOf(stdout.replace(/^open.*\n|^called\n/gm, ""))).toEqual([9]);
    expect(status).toBe(0);
  });

  test("anywhere on the machine has its markers traced", async () => {
    const starter = await startLate();
    const program = freshProgram("anywhere", 3);
    await using trace = await startTrace('u::late:worked (arg1 >= 3000) "%d", arg1');
    await starter.ask(`run 1 ${program} 400`);
    const { stdout } = await stop(trace);
    expect(valuesOf(stdout).at(-1)).toBe(3399);
  });

  test("from a file that has taken the place, and the inode number, of another", async () => {
    const process_ = await startLate();
    const program = freshProgram("again", 5);
    const numbers = new Set<number>();
    await using trace = await startTrace("-p", `${process_.pid}`, "--children", 'u::late:worked "%d", arg1');
    // Why twice: of a file system that gives the number again at once the second is the first again.
    for (let round = 0; round < 2; round++) {
      const path = join(folder, "again");
      copyFileSync("/bin/true", path);
      await process_.ask(`run 20 ${path}`);
      numbers.add(statSync(path).ino);
      rmSync(path);
      copyFileSync(program, path);
      await process_.ask(`run 1 ${path} 300`);
      numbers.add(statSync(path).ino);
      rmSync(path);
    }
    const { stdout, stderr } = await stop(trace);
    expect(stderr.match(/armed 1 place in/g), `inodes ${[...numbers].join(", ")}`).toHaveLength(2);
    expect(valuesOf(stdout).at(-1)).toBe(5299);
  });

  test("a thousand times, and each is short", async () => {
    const process_ = await startLate();
    const program = freshProgram("short", 4);
    await using trace = await startTrace("-p", `${process_.pid}`, "--children", 'u::late:worked "%d", arg1');
    const before = openFiles(trace.pid);
    await process_.ask(`run 1000 ${program}`);
    await sleep(100);
    expect(openFiles(trace.pid)).toBeLessThan(before + 5);
    const { stdout } = await stop(trace);
    expect(stdout.trim().split("\n").length - 1).toBeGreaterThan(900);
    expect(valuesOf(stdout)).toEqual([4000]);
  });

  test("in the place of a process by a thread that is not its first is traced, and what was missed is said", async () => {
    const threadExec = compile("thread-exec.c", ["-O2", "-pthread"]);
    const program = freshProgram("replaced", 7);
    const { stdout, stderr } = await runCli([
      "trace",
      `u:${program}:worked "%d", arg1`,
      "--",
      threadExec,
      program,
      "600",
    ]);
    expect(valuesOf(stdout).at(-1)).toBe(7599);
    expect(stdout.trim().split("\n").length).toBeLessThanOrEqual(601);
    expect(stderr).toMatch(/skipped process \d+: one of its threads but the first called exec/);
  });

  test("from a file that was overwritten in place", async () => {
    const [one, two] = [await startLate(), await startLate()];
    const path = join(folder, "overwritten");
    copyFileSync("/bin/true", path);
    const library = freshLibrary("liblate.so", ["-DVERSION=1"]);
    await using trace = await startTrace(
      "-p",
      `${one.pid}`,
      "-p",
      `${two.pid}`,
      "--children",
      'u::late:worked "%d", arg1',
    );
    await one.ask(`run 1 ${path}`);
    await one.ask(`open ${library}`);
    await sleep(300);
    copyFileSync(freshProgram("content", 6), path);
    copyFileSync(freshLibrary("liblate.so", ["-DVERSION=2", "-DNARROW"]), library);
    await one.ask(`run 1 ${path} 300`);
    await two.ask(`open ${library}`);
    const { stdout, stderr } = await stop(trace);
    expect(valuesOf(stdout).at(-1)).toBe(6299);
    expect(stderr.match(/armed 1 place in/g)).toHaveLength(2);
    expect(stderr).toContain(`skipped ${library}: it has changed in place since it was looked at`);
  });

  test("is no reason to wait where the library is a pattern", async () => {
    const process_ = await startLate();
    const { stderr, status } = await runCli(["count", "-p", `${process_.pid}`, "liblate*:late_*"]);
    expect(stderr).toContain("a library by the start of its name");
    expect(status).toBe(1);
  });

  test("is no reason to wait where no later file can be meant", async () => {
    const { stderr, status } = await runCli(["trace", "libnosuchthing.so:f"]);
    expect(stderr).toContain('no program or library "libnosuchthing.so"');
    expect(status).toBe(1);
  });
});

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

describe.runIf(isRoot)("other content behind the same path", () => {
  test("in two mount namespaces is traced in both, each by its own file", async () => {
    const path = freshLibrary("liblate.so", ["-DVERSION=1"]);
    const other = freshLibrary("liblate.so", ["-DVERSION=2"]);
    const inside = await startLate([
      "unshare",
      "-m",
      "sh",
      "-c",
      `mount --bind ${other} ${path} && exec ${late}`,
    ]);
    const outside = await startLate();
    await using trace = await startTrace(
      "-p",
      `${inside.pid}`,
      "-p",
      `${outside.pid}`,
      'r:liblate:late_work "%d", retval',
    );
    for (const { ask } of [inside, outside]) {
      await ask(`open ${path}`);
      await ask("call late_work 300 5");
    }
    const { stdout } = await stop(trace);
    const seen = stdout
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/));
    expect(new Set(seen.map((words) => `${words[0]} ${words.at(-1)}`))).toEqual(
      new Set([`${inside.pid} 2005`, `${outside.pid} 1005`]),
    );
  });
});

/** A root folder with the program, what it needs, and these files at its top. */
function makeRoot(files: readonly string[]): string {
  const root = join(folder, `root${copies++}`);
  const needed = [
    ...execFileSync("ldd", [late])
      .toString()
      .matchAll(/(\/\S+) \(0x/g),
  ].map(([, path]) => path!);
  for (const path of needed) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    copyFileSync(path, join(root, path));
  }
  for (const path of [late, ...files]) copyFileSync(path, join(root, basename(path)));
  return root;
}

describe.runIf(isRoot)("a container", () => {
  const contain = compile("contain.c");
  const startInside = (root: string): Promise<Late> => startLate([contain, root, `/${basename(late)}`]);

  test("is traced by its pid as seen from outside, with the files that it sees", async () => {
    const root = makeRoot([freshLibrary("liblate.so", ["-DVERSION=6"])]);
    const process_ = await startInside(root);
    await process_.ask("open /liblate.so");
    for (const probe of [
      'r:liblate:late_work "%d", retval',
      'u:/liblate.so:worked "%d", arg1',
      'u::worked "%d", arg1',
    ]) {
      await using trace = await startTrace("-p", `${process_.pid}`, probe);
      await process_.ask("call late_work 50 5");
      const { stdout } = await stop(trace);
      expect(stdout.trim().split("\n").length - 1, probe).toBe(50);
      expect(valuesOf(stdout), probe).toEqual([6005]);
      expect(stdout, probe).toMatch(new RegExp(`^${process_.pid} +${process_.pid} `, "m"));
    }
  });

  test("has what it loads later traced, in each by its own file", async () => {
    const processes = await Promise.all(
      [7, 8].map((version) => startInside(makeRoot([freshLibrary("liblate.so", [`-DVERSION=${version}`])]))),
    );
    const pids = processes.flatMap(({ pid }) => ["-p", `${pid}`]);
    await using trace = await startTrace(...pids, 'u:liblate.so:worked "%llu %d", nsecs, arg1');
    for (const [index, { ask }] of processes.entries()) {
      const opened = await ask("open /liblate.so");
      await ask("call late_work 400 3");
      expect(delayOf(trace.stdout, opened, (7 + index) * 1000 + 3)).toBeLessThan(500);
    }
    const { stdout } = await stop(trace);
    expect(valuesOf(stdout)).toEqual([7003, 8003]);
  });

  test("shows the ids that processes have inside with --pid-namespace", async () => {
    const process_ = await startInside(makeRoot([freshLibrary("liblate.so")]));
    await process_.ask("open /liblate.so");
    await using columns = await startTrace("-p", `${process_.pid}`, "--pid-namespace", "liblate:late_work");
    await using json = await startTrace(
      "-p",
      `${process_.pid}`,
      "--pid-namespace",
      "--json",
      "liblate:late_work",
    );
    await process_.ask("call late_work 3 1");
    expect((await stop(columns)).stdout).toMatch(/^1 +1 +late/m);
    const { pid } = process_;
    expect(JSON.parse((await stop(json)).stdout.split("\n")[0]!)).toMatchObject({
      pid,
      tid: pid,
      namespace_pid: 1,
      namespace_tid: 1,
    });
  });
});
