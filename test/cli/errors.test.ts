/**
 * Every error as a person sees it, kept under test/golden/cli/: the command, what it says, its exit code. Each says what is
 * wrong, where, and what to do; none shows a stack trace, and none leaves a program in the kernel.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyPackage, runCli } from "../support/cli.js";
import type { CliResult } from "../support/cli.js";
import { golden } from "../support/golden.js";
import { fits, needs, onX86, requires } from "../support/kernel.js";
import { compile } from "../support/programs.js";

interface ErrorCase {
  readonly name: string;
  readonly words: readonly string[];
  /** 1 when not given; 2 for a wrong command line. */
  readonly status?: 1 | 2;
  /** Stands before uscope: another user, another namespace. */
  readonly prefix?: readonly string[];
  /** Texts that differ from run to run, and what the golden file has in their place. */
  readonly shown?: Readonly<Record<string, string>>;
}

/** The files that the errors are about, all in one folder that anybody may read. */
const folder = mkdtempSync(join(tmpdir(), "uscope-errors-"));
const inFolder = (name: string): string => join(folder, name);
const orders = inFolder("orders");
const started: ChildProcess[] = [];
let copy: ReturnType<typeof copyPackage>;

beforeAll(() => {
  chmodSync(folder, 0o755);
  copy = copyPackage();
  copyFileSync(compile("orders.c", ["-O2"]), orders);
  copyFileSync(compile("functions.cc", ["-O2"]), inFolder("shop"));
  copyFileSync(compile("switching.c", ["-O2"]), inFolder("switching"));
  execFileSync("strip", ["-o", inFolder("stripped"), orders]);
  execFileSync("gcc", ["-O2", "-c", "-x", "c", "-o", inFolder("object.o"), "-"], { input: "int f;" });
  execFileSync("mkfifo", [inFolder("fifo")]);
  mkdirSync(inFolder("bin"));
  copyFileSync(orders, inFolder("bin/orders"));
  writeFileSync(inFolder("script"), "#!/bin/sh -e\necho hello\n", { mode: 0o755 });
  writeFileSync(inFolder("text"), "not a program\n");
  writeFileSync(inFolder("empty"), "");
  for (const size of [3, 16, 40, 64, 4096]) cutCopy(size);
  patchedCopy("intel32", { 4: 1, 18: 3 });
  patchedCopy("arm64", { 18: 183 });
  patchedCopy("big-endian", { 5: 2 });
  patchedCopy("core", { 16: 4 });
  patchedCopy("secret", {});
  chmodSync(inFolder("secret"), 0o700);
});

afterAll(() => {
  for (const child of started) child.kill("SIGKILL");
  copy[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const isHere = onX86() && needs("uprobe_multi");

describe.runIf(isHere)("errors", () => {
  test("of a file", async () => {
    await expectErrors("files", [
      file("no such file", "/no/such/file"),
      file("no such command or library", "no-such-program"),
      file("a misspelt command", "oders"),
      file("a misspelt library", "libpthreadd"),
      file("one letter", "."),
      file("a folder", folder),
      file("a device", "/dev/zero"),
      file("a named pipe that nobody writes", inFolder("fifo")),
      file("an empty file", inFolder("empty")),
      file("a text", inFolder("text")),
      file("a script", inFolder("script")),
      file("an object file", inFolder("object.o")),
      file("a core dump", inFolder("core")),
      file("a 32-bit program", inFolder("intel32")),
      file("a big-endian program", inFolder("big-endian")),
      file("a program of another machine", inFolder("arm64")),
      ...[3, 16, 40, 64, 4096].map((size) => file(`cut after ${size} bytes`, inFolder(`cut-${size}`))),
      { name: "listing a file that is not there", words: ["list", "/no/such/file"] },
      { name: "listing a stripped program", words: ["list", inFolder("stripped")] },
    ]);
  });

  test("of a file that lies in the working directory", async () => {
    const result = await runCli(["trace", "text:f"], { cwd: folder, env: { PATH: inFolder("bin") } });
    expect(result.stderr).toMatch(/^ {2}fix: a file of that name lies here: write \.\/text$/m);
    const command = await runCli(["trace", "orders:order_total", "--", "script"], {
      cwd: folder,
      env: { PATH: inFolder("bin") },
    });
    expect(command.stderr).toMatch(/^ {2}fix: a file of that name lies here: write -- \.\/script$/m);
    expect(command.status).toBe(1);
  });

  test("of a function or place", async () => {
    const data = addressOf("order_data");
    const fixed = addressOf("order_fixed");
    await expectErrors("places", [
      probe("a misspelt function", "orders:order_totl"),
      probe("a function that is nothing like it", "orders:zebra"),
      probe("a pattern without a match", "orders:order_x*"),
      probe("a misspelt C++ name", `${inFolder("shop")}:shop::prize`),
      probe("a C++ function with other arguments", `${inFolder("shop")}:"shop::price(long)"`),
      probe("a function of a stripped program", `${inFolder("stripped")}:order_total`),
      probe("the middle of an instruction", "orders:order_fixed+1"),
      probe("behind the function", "orders:order_fixed+6"),
      probe("inside a function without a size", "orders:order_sizeless+1"),
      probe("data that is called a function", "orders:order_table"),
      probe("an instruction that the kernel refuses", "orders:order_locked"),
      probe("the return of such a function", "r:orders:order_locked"),
      probe("a return with an offset", "r:orders:order_total+4"),
      { ...probe("an address in data", `orders:${data}`), shown: { [data]: "0xDATA" } },
      probe("an address outside of the file", "orders:0x7fff12345678"),
      {
        ...probe("an address in the middle of an instruction", `orders:${plusOne(fixed)}`),
        shown: { [plusOne(fixed)]: "0xINSIDE" },
      },
      {
        ...probe(
          "an address in a stripped program, of which nothing is known",
          `${inFolder("stripped")}:${fixed}`,
        ),
        shown: { [fixed]: "0xFIXED" },
      },
      probe("a return that an exception may pass", `r:${inFolder("shop")}:shop::risky`),
      probe("returns that exceptions may pass", `r:${inFolder("shop")}:shop::price*`),
      probe("a return in a program that switches stacks", `r:${inFolder("switching")}:step`),
      probe("a marker", "u:orders:order_marker"),
      probe("a tracepoint", "t:sched:sched_switch"),
      probe("a function of the kernel", "do_sys_open"),
      { name: "listing a misspelt function", words: ["list", "orders", "order_totl"] },
    ]);
  });

  test.runIf(requires("go"))("of a return in a Go program", async () => {
    writeFileSync(
      inFolder("hello.go"),
      'package main\n\n//go:noinline\nfunc add(a, b int) int { return a + b }\n\nfunc main() { println("sum", add(1, 2)) }\n',
    );
    execFileSync("go", ["build", "-o", inFolder("hello"), inFolder("hello.go")], {
      env: {
        ...process.env,
        GO111MODULE: "off",
        GOFLAGS: "-mod=mod",
        GOCACHE: inFolder("go-cache"),
        CGO_ENABLED: "0",
      },
    });
    const hello = inFolder("hello");
    await expectErrors("go", [
      { name: "a return in a Go program", words: ["trace", `r:${hello}:main.add`, "--", hello] },
    ]);
  });

  test("are overruled by --force uretprobe, and the program lives as long as nothing is thrown", async () => {
    const shop = inFolder("shop");
    const { stdout, stderr, status } = await runCli([
      "trace",
      "--force",
      "uretprobe",
      `r:${shop}:shop::risky "%d", retval`,
      "--",
      shop,
    ]);
    expect(stdout).toMatch(/shop::risky +1\n$/);
    expect(stderr).toMatch(/the command has ended \(exit code 0\); 1 event shown/);
    expect(status).toBe(0);
  });

  test("of a probe's text", async () => {
    const many = Array.from({ length: 200 }, (_, index) => `arg1 == ${index}`).join(" || ");
    await expectErrors("texts", [
      probe("nothing", ""),
      probe("a colon", ":"),
      probe("no library", "p:order_total"),
      probe("no function", "orders:"),
      probe("an unknown kind", "x:orders:order_total"),
      text("an open quote", ' "%d, arg1'),
      text("an open predicate", " (arg1 > 3"),
      text("an open expression", ' "%d", arg1 +'),
      text("no quotes", " %d, arg1"),
      text("an unknown conversion", ' "%y", arg1'),
      text("a floating-point conversion", ' "%f", arg1'),
      text("too few arguments", ' "%d and %d", arg1'),
      text("too many arguments", ' "%d", arg1, arg2'),
      text("an unknown name", ' "%d", agr1'),
      text("an unknown register", ' "%d", ctx->zz'),
      text("an argument that no function has", ' "%d", arg99'),
      text("a returned value at the entry", ' "%d", retval'),
      probe("an argument at the return", 'r:orders:order_total "%d", arg1'),
      text("text compared with text", ' ("a" == "b") "%d", arg1'),
      text("text compared with a pointer", ' (arg1 == "pear") "%d", arg1'),
      text("a division by zero", ' "%d", arg1 / 0'),
      text("an assignment", ' (arg1 = 3) "%d", arg1'),
      text("a number that is no pointer", ' "%d", *arg1'),
      text("a field of a struct", '(struct order *o) "%d", o->count'),
      text("a long expression, of which a part is shown", ` (${many} || ?) "%d", arg1`),
      {
        name: "an event that is too long",
        words: ["trace", "-Z", "99999", 'orders:order_label "%s", arg1'],
        status: 2,
      },
    ]);
  });

  test("of the options", async () => {
    await expectErrors("options", [
      line("an unknown command", "trase"),
      line("an option without a command", "--json"),
      trace("no probe"),
      trace("an unknown option", "--jsno", "orders:order_total"),
      trace("an unknown letter", "-q", "orders:order_total"),
      trace("a missing value", "orders:order_total", "-M"),
      trace("a value for a switch", "--json=1", "orders:order_total"),
      trace("a negative number", "-M", "-1", "orders:order_total"),
      trace("no number", "-M", "many", "orders:order_total"),
      trace("zero events", "-M", "0", "orders:order_total"),
      trace("a number that is not whole", "-M", "1.5", "orders:order_total"),
      trace("no time", "-d", "soon", "orders:order_total"),
      trace("twice", "-M", "1", "-M", "2", "orders:order_total"),
      trace("no process id", "-p", "orders", "orders:order_total"),
      trace("-A without -M", "-A", "orders:order_total"),
      trace("-u without -t", "-u", "orders:order_total"),
      trace("-L with -p", "-L", "1", "-p", "1", "orders:order_total"),
      trace("-I", "-I", "linux/fs.h", "orders:order_total"),
      trace("--children of nobody", "--children", "orders:order_total"),
      trace("--attach by an unknown way", "--attach", "kprobe", "orders:order_total"),
      trace("--force with an unknown hazard", "--force", "go", "orders:order_total"),
      trace("-b that is no power of two", "-b", "3", "orders:order_total"),
      trace("a command and a process", "-p", "1", "orders:order_total", "--", "orders"),
      trace("no command behind --", "orders:order_total", "--"),
      { ...trace("a command that is not there", "orders:order_total", "--", "oders"), status: 1 },
      { ...trace("a command that is a folder", "orders:order_total", "--", folder), status: 1 },
      {
        ...trace("a command that is not executable", "orders:order_total", "--", inFolder("text")),
        status: 1,
      },
      line("list without a target", "list"),
      line("doctor with an argument", "doctor", "now"),
    ]);
  });

  test("of a process", async () => {
    const child = start(orders, ["100000", "10"], inFolder("bin"));
    const zombie = await startZombie();
    const thread = readdirSync("/proc/self/task").find((id) => id !== String(process.pid))!;
    const own = String(process.pid);
    const ended = String(await endedProcess());
    const traced = (name: string, pid: string, shown: string, probe = `${orders}:order_total`): ErrorCase => {
      return { name, words: ["trace", "-p", pid, probe], shown: { [pid]: shown, [own]: "OWN" } };
    };
    await expectErrors("processes", [
      traced("a process that is not there", ended, "PID"),
      traced("a thread's id as a process", thread, "TID"),
      traced("a zombie", zombie, "PID"),
      traced("a library of a zombie", zombie, "PID", "c:malloc"),
      { name: "listing a zombie", words: ["list", "-p", zombie], shown: { [zombie]: "PID" } },
      {
        name: "a thread that is not there",
        words: ["trace", "-L", ended, "orders:order_total"],
        shown: { [ended]: "TID" },
      },
      traced("a library that the process has not mapped", String(child.pid), "PID", "oders:order_total"),
      traced(
        "a program of another machine in a process",
        String(child.pid),
        "PID",
        `${inFolder("arm64")}:order_total`,
      ),
      ...(isKernelThread("2")
        ? [
            traced("a kernel thread", "2", "2"),
            { name: "listing a kernel thread", words: ["list", "-p", "2"] },
          ]
        : []),
      { name: "a cgroup that is not there", words: ["trace", "-c", "/no/cgroup", "orders:order_total"] },
    ]);
  });

  test("of a process that ends in between: whatever the moment, three parts or a clean end", async () => {
    for (let delay = 20; delay <= 160; delay += 20) {
      const child = start(orders, ["100000", "1"]);
      const running = runCli([
        "trace",
        "-p",
        String(child.pid),
        `${orders}:order_total`,
        `${orders}:order_label`,
      ]);
      await sleep(delay);
      child.kill("SIGKILL");
      const { stderr, status } = await running;
      if (status === 0) expect(stderr).toMatch(/the traced processes have ended/);
      else expectThreeParts({ name: `after ${delay} ms`, words: [] }, await running);
    }
  });

  test("of the verifier, at the place in the person's text", async () => {
    // Why this: each condition doubles the ways through the program, and the sum differs on each of them.
    const terms = Array.from(
      { length: 25 },
      (_, bit) => `((arg1 >> ${bit}) & 1 ? ${2 ** bit} : ${3 * 2 ** bit})`,
    );
    await expectErrors("verifier", [
      {
        name: "too many ways through a predicate",
        words: ["trace", `orders:order_total (${terms.join("+")} == 7)`],
        shown: { "instruction \\d+: .*": "instruction N: ..." },
      },
    ]);
  });
});

const nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
const capable = (...names: readonly string[]): string[] => {
  const list = names.map((name) => `+${name}`).join(",");
  return [...nobody, "--inh-caps", list, "--ambient-caps", list];
};
const isNobodyServed =
  spawnSync(nobody[0]!, [...nobody.slice(1), process.execPath, "--version"]).status === 0;
const canBeNobody = isHere && fits(isNobodyServed ? undefined : `only root can run ${process.execPath}`);

describe.runIf(canBeNobody)("errors of privileges", () => {
  test("name what is missing", async () => {
    const own = String(start(orders, ["100000", "10"]).pid);
    const words = ["trace", `${orders}:order_total`];
    await expectErrors("privileges", [
      { name: "a user without privileges", prefix: nobody, words },
      { name: "CAP_BPF alone", prefix: capable("bpf"), words },
      { name: "CAP_PERFMON alone", prefix: capable("perfmon"), words },
      { name: "root of a user namespace", prefix: ["unshare", "-Ur"], words },
      {
        name: "a file that this user may not read",
        prefix: nobody,
        words: ["trace", `${inFolder("secret")}:order_total`],
      },
      {
        name: "a process of another user",
        prefix: capable("bpf", "perfmon"),
        words: ["trace", "-p", own, "c:malloc"],
        shown: { [own]: "PID" },
      },
      {
        name: "a file of another user's process",
        prefix: capable("bpf", "perfmon"),
        words: ["trace", "-p", own, `${orders}:order_total`],
        shown: { [own]: "PID" },
      },
      {
        name: "a pid namespace",
        prefix: ["unshare", "--pid", "--fork", "--mount-proc"],
        words: ["trace", "-p", "1", `${orders}:order_total`],
      },
    ]);
  });
});

function probe(name: string, text: string): ErrorCase {
  return { name, words: ["trace", text] };
}

function file(name: string, path: string): ErrorCase {
  return probe(name, `${path}:order_total`);
}

function trace(name: string, ...words: readonly string[]): ErrorCase {
  return line(name, "trace", ...words);
}

function text(name: string, rest: string): ErrorCase {
  return probe(name, `orders:order_total${rest}`);
}

function line(name: string, ...words: readonly string[]): ErrorCase {
  return { name, words, status: 2 };
}

/** Runs the cases, two at a time, and compares what they say with test/golden/cli/GROUP.txt. */
async function expectErrors(group: string, cases: readonly ErrorCase[]): Promise<void> {
  const texts: string[] = [];
  const waiting = cases.map((error, index) => async (): Promise<void> => {
    const result = await runCli(error.words, {
      ...(error.prefix === undefined ? {} : { root: copy.root }),
      // Why: the nearest names come from PATH, and must not depend on what this machine has there.
      env: { PATH: inFolder("bin") },
      prefix: (error.prefix ?? []).map((word, at) => (at === 0 ? commandPath(word) : word)),
      timeout: 40_000,
    });
    expectThreeParts(error, result);
    texts[index] = print(error, result);
  });
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next();
  };
  await Promise.all([worker(), worker()]);
  golden(`cli/${group}.txt`, `${texts.join("\n")}`);
  expect(loadedPrograms()).toEqual([]);
}

function expectThreeParts(error: ErrorCase, { stdout, stderr, status }: CliResult): void {
  const told = `${error.name}: ${stderr}`;
  expect(stdout, told).toBe("");
  expect(status, told).toBe(error.status ?? 1);
  const parts = /^uscope: (.+)\n {2}at: (.+(?:\n {4}.*)*)\n {2}fix: (.+)\n$/.exec(stderr);
  expect(parts, told).not.toBeNull();
  expect(parts?.[1], told).not.toMatch(/^(?:\w*Error\b|E[A-Z]{3,}\b|undefined|\[object)/);
  expect(parts?.[2], told).not.toMatch(/uscope itself|\.js:\d/);
  expect(parts?.[3], told).not.toMatch(/report this|undefined/);
}

/** The command as it would be typed, what it said, and its exit code, without what differs from machine to machine. */
function print({ name, words, prefix, shown }: ErrorCase, { stderr, status }: CliResult): string {
  const quoted = words.map((word) =>
    /^[\w./:=@+,-]+$/.test(word) ? word : `'${word.length > 200 ? `${word.slice(0, 200)}...` : word}'`,
  );
  const shownPrefix = (prefix ?? []).filter((word) => !/^(?:6553[0-9])$/.test(word));
  const text = `$ ${[...shownPrefix, "uscope", ...quoted].join(" ")}\n${stderr}exit code ${status}\n`;
  const plain = text
    .replaceAll(folder, "/dir")
    .replaceAll(/\b\d+ functions/g, "N functions")
    .replaceAll(/pid:\[\d+\]/g, "pid:[N]")
    .replaceAll(/code lies at 0x[\da-f]+ to 0x[\da-f]+/g, "code lies at 0xSTART to 0xEND")
    .replaceAll(/bytes (\d+) to (\d+) of/g, (_, start: string, end: string) =>
      Number(start) > 64 || Number(end) > 64 ? "bytes START to END of" : `bytes ${start} to ${end} of`,
    );
  const steady = Object.entries(shown ?? {}).reduce(
    (before, [changing, steady]) => before.replaceAll(new RegExp(`\\b${changing}\\b`, "g"), steady),
    plain,
  );
  return `=== ${name}\n${steady}`;
}

/** Programs in the kernel that these tests have loaded and left. */
function loadedPrograms(): string[] {
  const programs = JSON.parse(execFileSync("bpftool", ["-j", "prog", "list"], { encoding: "utf8" })) as {
    readonly name?: string;
  }[];
  return programs.flatMap(({ name }) => (name?.startsWith("order_") === true ? [name] : []));
}

function commandPath(name: string): string {
  return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
}

function cutCopy(size: number): void {
  copyFileSync(orders, inFolder(`cut-${size}`));
  truncateSync(inFolder(`cut-${size}`), size);
}

function patchedCopy(name: string, changes: Readonly<Record<number, number>>): void {
  const bytes = readFileSync(orders);
  for (const [at, byte] of Object.entries(changes)) bytes[Number(at)] = byte;
  writeFileSync(inFolder(name), bytes, { mode: 0o755 });
}

function addressOf(symbol: string): string {
  const line = new RegExp(`^0*([0-9a-f]+) . ${symbol}$`, "m").exec(
    execFileSync("nm", [orders], { encoding: "utf8" }),
  );
  return `0x${line![1]!}`;
}

function plusOne(address: string): string {
  return `0x${(Number(address) + 1).toString(16)}`;
}

function start(program: string, words: readonly string[], path = "/usr/bin:/bin"): ChildProcess {
  const child = spawn(program, words, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: path },
  });
  started.push(child);
  return child;
}

/** A child that has ended and that nobody waits for. */
async function startZombie(): Promise<string> {
  const parent = start("sh", ["-c", "sleep 0.05 & echo $!; exec sleep 60"]);
  const pid = await new Promise<string>((resolve) =>
    parent.stdout!.once("data", (line: Buffer) => resolve(line.toString().trim())),
  );
  for (let tries = 0; tries < 200 && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8")); tries++)
    await sleep(10);
  return pid;
}

async function endedProcess(): Promise<number> {
  const child = spawn("true");
  await new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return child.pid!;
}

function isKernelThread(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "kthreadd";
  } catch {
    return false;
  }
}
