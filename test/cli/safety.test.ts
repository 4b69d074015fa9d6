/**
 * What a trace does when things end badly: killed, closed, full, replaced, namespaced. Nothing stays in the kernel, no
 * process stays blocked, and the traced program comes to the same sum as without a trace.
 */
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { runCli, startCli } from "../support/cli.js";
import { needs, settledCounts } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const folder = mkdtempSync(join(tmpdir(), "uscope-safety-"));
const inFolder = (name: string): string => join(folder, name);
const orders = inFolder("orders");
copyFileSync(compile("orders.c", ["-O2"]), orders);
const probe = `${orders}:order_total "%d", arg1`;

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Orders {
  readonly child: ChildProcess;
  readonly pid: string;
  /** Fulfilled when it ends by itself, with what it printed. */
  readonly output: Promise<string>;
}

function startOrders(program: string, ...words: readonly (string | number)[]): Orders {
  return startProgram(program, words.map(String));
}

function startProgram(program: string, words: readonly string[]): Orders {
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  let text = "";
  child.stdout.on("data", (piece: Buffer) => (text += piece.toString()));
  return { child, pid: String(child.pid), output: once(child, "close").then(() => text) };
}

/** What orders prints after so many rounds: two calls before, then 2 * round each. */
const sumOf = (rounds: number): string => `sum ${4 + rounds * (rounds - 1)}\n`;

/** Links and programs of these tests in the kernel, when it had the time to free them. */
const leftBehind = (): Promise<object> => settledCounts({ programs: 0, links: 0 }, "order_total");
const nothing = { programs: 0, links: 0 };

const messagesOf = (stdout: string): string[] =>
  stdout
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split(/\s+/).at(-1)!);

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 300 && !condition(); tries++) await sleep(10);
  expect(condition(), what).toBe(true);
}

const isAlive = (pid: number | string): boolean => {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
};

/** Processes whose command line has the word. */
function processesWith(word: string): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").includes(word) && isAlive(name);
    } catch {
      return false;
    }
  });
}

describe.runIf(needs("uprobe_multi"))("a trace that ends badly", () => {
  test("SIGKILL leaves no link and no program, and the traced program goes on", async () => {
    const { pid, output } = startOrders(orders, 300, 5);
    await using running = startCli(["trace", "-p", pid, probe]);
    await running.until("stdout", /order_total +\d+\n/);
    expect(await settledCounts({ programs: 1, links: 1 }, "order_total")).toEqual({ programs: 1, links: 1 });
    running.signal("SIGKILL");
    expect((await running.ended).signal).toBe("SIGKILL");
    expect(await leftBehind()).toEqual(nothing);
    expect(isAlive(pid)).toBe(true);
    expect(await output).toBe(sumOf(300));
  });

  test("a command that waits for its release ends when uscope is killed before, and never runs", async () => {
    for (const signal of ["SIGKILL", "SIGSEGV"] as const) {
      const ran = inFolder(`ran-${signal}`);
      await using running = startCli(["trace", probe, "--", "touch", ran]);
      const waiting = (): string[] => processesWith(ran).filter((pid) => isWaiting(pid));
      await until(() => waiting().length === 1, "the shell waits");
      running.signal("SIGSTOP");
      const [shell] = waiting();
      expect(shell, "stopped before the release").toBeDefined();
      running.signal(signal);
      running.signal("SIGCONT");
      expect((await running.ended).signal).toBe(signal);
      await until(() => !isAlive(shell!), "the shell has ended");
      expect(existsSync(ran)).toBe(false);
      expect(await leftBehind()).toEqual(nothing);
    }
  });

  test("20 traces one after another leave nothing", async () => {
    for (let count = 0; count < 20; count++) {
      const { stdout } = await runCli(["trace", "-M", "2", probe, "--", orders, "2"]);
      expect(stdout).toMatch(/order_total +0\n(?:sum .*\n)?.*order_total +1\n/);
    }
    expect(await leftBehind()).toEqual(nothing);
  });

  test("two traces of one function both see all calls", async () => {
    const { pid, child, output } = startProgram("sh", [
      "-c",
      `read _ <"$1"; exec "$0" 5000`,
      orders,
      makeFifo("gate"),
    ]);
    const traces = [startCli(["trace", probe]), startCli(["trace", probe])];
    for (const running of traces) await running.until("stdout", /FUNC/);
    writeFileSync(inFolder("gate"), "\n");
    expect(await output).toBe(sumOf(5000));
    expect(child.exitCode).toBe(0);
    for (const running of traces) {
      await running.until("stdout", / 4999\n/);
      running.signal("SIGINT");
      const { stdout } = await running.ended;
      expect(messagesOf(stdout)).toEqual(Array.from({ length: 5000 }, (_, round) => String(round)));
      expect(stdout).toContain(`\n${pid} `);
    }
    expect(await leftBehind()).toEqual(nothing);
  });
});

describe.runIf(needs("uprobe_multi"))("a command", () => {
  test.each([
    ["that ends at once", ["true"], /the command has ended \(exit code 0\); 0 events shown/],
    ["that fails", ["sh", "-c", "exit 3"], /the command has ended \(exit code 3\)/],
    [
      "that is killed",
      [orders, "1", "0", "9"],
      /the command has ended \(exit code 137: ended by SIGKILL\); 1 event/,
    ],
    [
      "whose interpreter is missing",
      [inFolder("lost")],
      /exit code 127: not found, or its interpreter is not\)/,
    ],
  ])("%s: the trace ends with it and says so", async (_what, command, said) => {
    writeFileSync(inFolder("lost"), "#!/no/such/interpreter\n", { mode: 0o755 });
    const { stderr, status } = await runCli(["trace", probe, "--", ...command]);
    expect(stderr).toMatch(said);
    expect(status).toBe(0);
    expect(await leftBehind()).toEqual(nothing);
  });

  test("is ended when -M is exhausted before it ends by itself, and that is said", async () => {
    const { stdout, stderr, status } = await runCli(["trace", "-M", "3", probe, "--", orders, "3000", "7"]);
    expect(messagesOf(stdout)).toEqual(["0", "1", "2"]);
    expect(stderr).toMatch(/^uscope: ended; the command was sent SIGTERM; 3 events shown$/m);
    expect(status).toBe(0);
    await until(() => processesWith(orders).length === 0, "the command is gone");
  });

  test("gets Ctrl-C as well, like every program in the foreground", async () => {
    await using running = startCli(["trace", probe, "--", orders, "3000", "6"]);
    await running.until("stdout", /order_total +3\n/);
    // Why the group: that is what a terminal does.
    process.kill(-running.pid, "SIGINT");
    const { status, stderr } = await running.ended;
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /uscope: (?:ended|the command has ended \(exit code 130: ended by SIGINT\)).*; \d+ events shown/,
    );
    await until(() => processesWith(orders).length === 0, "the command is gone");
    expect(await leftBehind()).toEqual(nothing);
  });
});

describe.runIf(needs("uprobe_multi"))("output that cannot be written", () => {
  test("| head -1 ends the trace of a slow program with its next event", async () => {
    const { pid, output } = startOrders(orders, 12, 100);
    const begun = performance.now();
    const shown = execFileSync(
      "sh",
      ["-c", '"$0" bin/uscope trace -p "$1" "$2" 2>/dev/null | head -1', process.execPath, pid, probe],
      { encoding: "utf8", cwd: new URL("../..", import.meta.url) },
    );
    expect(shown).toMatch(/^PID +TID/);
    expect(performance.now() - begun).toBeLessThan(1100);
    expect(await leftBehind()).toEqual(nothing);
    expect(await output).toBe(sumOf(12));
  });

  test("a pipe that its reader closes early ends the trace", async () => {
    const { pid, output } = startOrders(orders, 300, 3);
    const fifo = makeFifo("out");
    const shell = startProgram("sh", [
      "-c",
      `"$0" bin/uscope trace -p "$1" "$2" >"$3" 2>"$4"; echo "exit $?"`,
      process.execPath,
      pid,
      probe,
      fifo,
      inFolder("told"),
    ]);
    execFileSync("head", ["-c", "300", fifo]);
    expect(await shell.output).toBe("exit 0\n");
    expect(readFileSync(inFolder("told"), "utf8")).toMatch(/uscope: ended; \d+ events shown/);
    expect(await leftBehind()).toEqual(nothing);
    expect(await output).toBe(sumOf(300));
  });

  test.each([
    ["a trace", ["trace", "-p", "PID", probe]],
    ["JSON", ["trace", "--json", "-p", "PID", probe]],
    ["a command's trace", ["trace", probe, "--", orders, "2000", "8"]],
    ["a list", ["list", orders]],
    ["a page", ["doctor"]],
    ["help", ["trace", "--help"]],
    ["the overview", ["--help"]],
  ])("a full disk is told in three parts, not by a crash: %s", async (_what, words) => {
    const { pid, output } = startOrders(orders, 100, 5);
    const line = words.map((word) => (word === "PID" ? pid : word));
    const { stderr, status } = await runCli(line, { prefix: ["sh", "-c", 'exec "$@" >/dev/full', "sh"] });
    expect(stderr.replace(/^uscope: armed .*\n/, "")).toMatch(
      /^uscope: the output cannot be written: no space left on device \(ENOSPC\)\n {2}at: stdout\n {2}fix: make room .*\n$/,
    );
    expect(status).toBe(1);
    expect(await leftBehind()).toEqual(nothing);
    expect(await output).toBe(sumOf(100));
    await until(() => processesWith(orders).length === 0, "the command is gone");
  });

  test("stderr that is closed does not end a list", async () => {
    // Why replaced: that is what a list has a note about.
    const program = inFolder("relisted");
    copyFileSync(orders, program);
    const { pid } = startOrders(program, 600, 5);
    await until(() => readFileSync(`/proc/${pid}/maps`, "utf8").includes(program), "the program runs");
    rmSync(program);
    expect((await runCli(["list", "-p", pid, program])).stderr).toMatch(/note: /);
    for (const place of [">/dev/full", ">&-"]) {
      const { stdout, status } = await runCli(["list", "-p", pid, program], {
        prefix: ["sh", "-c", `exec "$@" 2${place}`, "sh"],
      });
      expect(stdout).toMatch(/ order_total$/m);
      expect(status).toBe(0);
    }
  });

  test("stderr that cannot be written does not end a trace", async () => {
    for (const place of [">/dev/full", ">&-"]) {
      const { stdout, status } = await runCli(["trace", probe, "--", orders, "20"], {
        prefix: ["sh", "-c", `exec "$@" 2${place}`, "sh"],
      });
      expect(stdout.match(/order_total +\d+\n/g)).toHaveLength(20);
      expect(status).toBe(0);
    }
  });
});

describe.runIf(needs("uprobe_multi"))("the traced program", () => {
  test("that dies under load ends the trace, with its last calls", async () => {
    const { child, pid } = startOrders(orders, 1_000_000_000);
    await using running = startCli(["trace", "-p", pid, "-f", "000000", probe]);
    await running.until("stderr", /armed/);
    await sleep(300);
    child.kill("SIGSEGV");
    const { stderr, status } = await running.ended;
    expect(stderr).toMatch(/uscope: the traced processes have ended; /);
    expect(stderr).not.toMatch(/\n {2}at:/);
    expect(status).toBe(0);
    expect(await leftBehind()).toEqual(nothing);
  });

  test("that runs a replaced file is traced by -p; without -p the new file is armed, and the end says why it is silent", async () => {
    const program = inFolder("upgraded");
    copyFileSync(orders, program);
    const { pid, output } = startOrders(program, 600, 5);
    await until(() => readFileSync(`/proc/${pid}/maps`, "utf8").includes(program), "the program runs");
    copyFileSync(orders, `${program}.new`);
    renameSync(`${program}.new`, program);

    const old = await runCli(["trace", "-M", "2", "-p", pid, `${program}:order_total "%d", arg1`]);
    expect(messagesOf(old.stdout)).toHaveLength(2);
    expect(old.stderr).toMatch(
      /note: .*upgraded was deleted or replaced since process \d+ started: the file that it runs is traced/,
    );

    const silent = await runCli(["trace", "-d", "0.3", `${program}:order_total`]);
    expect(messagesOf(silent.stdout)).toEqual([]);
    expect(silent.stderr).toMatch(
      /no hit: a process maps a deleted older copy of .*upgraded: trace it with -p, or restart it/,
    );

    const fresh = await runCli(["trace", `${program}:order_total "%d", arg1`, "--", program, "2"]);
    expect(fresh.stdout.match(/order_total +\d+\n/g)).toHaveLength(2);
    expect(await output).toBe(sumOf(600));
  });

  test("that uses a deleted library is traced in that library", async () => {
    const { user, library } = buildLibrary();
    const { pid, output } = startProgram(user, ["300", "5"]);
    await until(() => readFileSync(`/proc/${pid}/maps`, "utf8").includes(library), "the library is mapped");
    rmSync(library);
    for (const name of ["ordering", "libordering.so", library]) {
      const { stdout, stderr } = await runCli([
        "trace",
        "-M",
        "2",
        "-p",
        pid,
        `${name}:order_total "%d", arg1`,
      ]);
      expect(messagesOf(stdout), name).toHaveLength(2);
      expect(stderr, name).toMatch(/note: .*libordering\.so was deleted or replaced since process/);
    }
    expect(await output).toBe("300\n");
  });

  test("in a mount namespace of its own is traced in its own file", async () => {
    const { user, library } = buildLibrary();
    const other = inFolder("other.so");
    execFileSync("gcc", ["-O2", "-shared", "-fPIC", "-DOTHER", "-x", "c", "-o", other, "-"], {
      input: librarySource,
    });
    const inside = startProgram("unshare", [
      "-m",
      "sh",
      "-c",
      'mount --bind "$1" "$2" && exec "$0" 400 5',
      user,
      other,
      library,
    ]);
    const outside = startProgram(user, ["400", "5"]);
    for (const { pid } of [inside, outside])
      await until(
        () =>
          readFileSync(`/proc/${pid}/maps`, "utf8").includes("ordering.so") ||
          readFileSync(`/proc/${pid}/maps`, "utf8").includes("other.so"),
        "both run",
      );
    const only = `${library}:only_in_other "%d", arg1`;
    const within = await runCli(["trace", "-M", "2", "-p", inside.pid, only]);
    expect(within.stderr).not.toMatch(/\n {2}at:/);
    expect(messagesOf(within.stdout)).toHaveLength(2);
    const without = await runCli(["trace", "-M", "2", "-p", outside.pid, only]);
    expect(without.stderr).toMatch(/no function "only_in_other" in/);
    const plain = await runCli(["trace", "-M", "2", "-p", outside.pid, `ordering:order_total "%d", arg1`]);
    expect(messagesOf(plain.stdout)).toHaveLength(2);
    expect(await inside.output).toBe("400\n");
    expect(await outside.output).toBe("400\n");
  });
});

const librarySource = `
__attribute__((noipa)) int order_total(int value) { return value + 1; }
#ifdef OTHER
__attribute__((noipa)) int only_in_other(int value) { return value + 1; }
int order(int value) { return only_in_other(value); }
#else
int order(int value) { return order_total(value); }
#endif
`;

/** A library in a private folder, and a program that calls it. */
function buildLibrary(): { readonly user: string; readonly library: string } {
  const library = inFolder("libordering.so");
  const user = inFolder("ordering-user");
  execFileSync("gcc", ["-O2", "-shared", "-fPIC", "-x", "c", "-o", library, "-"], { input: librarySource });
  execFileSync("gcc", ["-O2", "-x", "c", "-o", user, "-", "-x", "none", library], {
    input: `
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int order(int);
int main(int count, char **words) {
  int sum = 0;
  for (int round = 0; round < atoi(words[1]); round++) { sum = order(round); usleep(atoi(words[2]) * 1000); }
  printf("%d\\n", sum);
}
`,
  });
  return { user, library };
}

function makeFifo(name: string): string {
  rmSync(inFolder(name), { force: true });
  execFileSync("mkfifo", [inFolder(name)]);
  return inFolder(name);
}

/** Says whether a process still is the shell that waits for its release. */
function isWaiting(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "uscope-launcher";
  } catch {
    return false;
  }
}
