/** `--children` and `-L` while processes and threads come and go: who belongs to the traced ones, who has left, when it is over. */
import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { runCli, startCli } from "../support/cli.js";
import type { RunningCli } from "../support/cli.js";
import { compile } from "../support/programs.js";

const family = compile("family.c", ["-O2", "-pthread"]);
const isRoot = process.geteuid?.() === 0;

const started: ChildProcessWithoutNullStreams[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

interface Family {
  readonly pid: number;
  /** Sends a line, and resolves with the child's pid when all that it made has ended. */
  ask(line: string): Promise<number>;
}

async function startFamily(): Promise<Family> {
  const child = spawn(family, [], { stdio: "pipe" });
  started.push(child);
  const lines: string[] = [];
  let rest = "";
  child.stdout.on("data", (piece: Buffer) => {
    const parts = (rest + piece.toString()).split("\n");
    rest = parts.pop()!;
    lines.push(...parts);
  });
  const next = async (): Promise<string> => {
    for (let tries = 0; tries < 5000 && lines.length === 0; tries++) await sleep(5);
    return lines.shift() ?? "silence";
  };
  expect(await next()).toBe("ready");
  return {
    pid: child.pid!,
    async ask(line) {
      child.stdin.write(`${line}\n`);
      const answer = await next();
      expect(answer).toMatch(/^done -?\d+$/);
      return Number(answer.slice(5));
    },
  };
}

async function startTrace(...words: readonly string[]): Promise<RunningCli> {
  const trace = startCli(["trace", ...words]);
  await trace.until("stderr", /armed/);
  return trace;
}

/** Ends the trace and counts its calls of work(). */
async function countWork(trace: RunningCli): Promise<number> {
  // Why: what was seen last may wait for the next look.
  await sleep(100);
  trace.signal("SIGINT");
  const { stdout, stderr } = await trace.ended;
  expect(stderr).not.toMatch(/lost|unseen/);
  return stdout.match(/ work$/gm)?.length ?? 0;
}

describe("--children -p", () => {
  test.each([
    ["a daemon of two forks and a session of its own", "orphan 150 7"],
    ["an orphan that becomes another program", "exec 150 7"],
    ["an orphan whose first thread ends first", "threads 400 7"],
    ["an orphan whose second thread becomes another program", "replace 400 7"],
  ])("shows %s, and not that of another process", async (_, line) => {
    const [own, stranger] = [await startFamily(), await startFamily()];
    await using trace = await startTrace("--children", "-p", `${own.pid}`, `${family}:work`);
    await stranger.ask(line);
    await own.ask(line);
    expect(await countWork(trace)).toBe(7);
  });

  test("shows orphans of children that were there before the trace", async () => {
    const own = await startFamily();
    await own.ask("keep 3000 7");
    await using trace = await startTrace("--children", "-p", `${own.pid}`, `${family}:work`);
    await sleep(3200);
    expect(await countWork(trace)).toBe(7);
  });

  test("ends with the last of the family, not with its first", async () => {
    const own = await startFamily();
    await own.ask("keep 2000 7");
    await using trace = await startTrace("--children", "-p", `${own.pid}`, `${family}:work`);
    process.kill(own.pid, "SIGKILL");
    const { stdout, stderr, status } = await trace.ended;
    expect(stdout.match(/ work$/gm)).toHaveLength(7);
    expect(stderr).toContain("the traced processes have ended");
    expect(status).toBe(0);
  });

  test("shows each of many short children once", async () => {
    const own = await startFamily();
    await using trace = await startTrace("--children", "-p", `${own.pid}`, `${family}:work`);
    await own.ask("loop 2000 2");
    expect(await countWork(trace)).toBe(4000);
  });

  test.runIf(isRoot)("knows a process id that is used again by whose child it is", async () => {
    const [own, stranger] = [await startFamily(), await startFamily()];
    await using trace = await startTrace("--children", "-p", `${own.pid}`, `${family}:work`);
    const pid = await own.ask("loop 1 1");
    for (let round = 0; round < 5; round++) {
      await sleep(100);
      expect(await stranger.ask(`as ${pid} 1000`)).toBe(pid);
      expect(await own.ask(`as ${pid} 3`)).toBe(pid);
      expect(await own.ask(`as ${pid} 3`)).toBe(pid);
    }
    expect(await countWork(trace)).toBe(31);
  });
});

test("--children with a command shows its daemons until it ends", async () => {
  const script = `sh -c '(sleep .3; exec ${family} work 0 5) & exit 0'; setsid -f ${family} work 300 5; sleep 1`;
  const { stdout, status } = await runCli([
    "trace",
    "--children",
    `${family}:work`,
    "--",
    "sh",
    "-c",
    script,
  ]);
  expect(status).toBe(0);
  expect(stdout.match(/ work$/gm)).toHaveLength(10);
});

test.each([
  ["ILL", 4],
  ["BUS", 7],
  ["USR1", 10],
  ["XCPU", 24],
])("a command that SIG%s ends is said so", async (name, number) => {
  const { stderr } = await runCli(["trace", `${family}:work`, "--", "sh", "-c", `kill -${name} $$`]);
  expect(stderr).toMatch(`exit code ${128 + number}: ended by SIG${name}`);
});

test("-L ends with its thread, though the process goes on", async () => {
  const own = await startFamily();
  await own.ask("thread 1500 1");
  const tid = readdirSync(`/proc/${own.pid}/task`)
    .map(Number)
    .find((thread) => thread !== own.pid)!;
  const { stderr, stdout } = await runCli(["trace", "-L", `${tid}`, `${family}:work`], { timeout: 10_000 });
  expect(stdout.match(/ work$/gm)).toHaveLength(1);
  expect(stderr).toMatch(/the traced thread has ended/);
  await own.ask("loop 1 1");
});

describe.runIf(isRoot)("in a pid namespace of its own", () => {
  const prefix = ["unshare", "--pid", "--fork", "--mount-proc"];

  test("uscope's own calls are shown, and a note says so", async () => {
    const { stderr, status } = await runCli(["trace", "-d", "0.2", `${family}:work`], { prefix });
    expect(stderr).toMatch(/note: uscope's own calls are shown too/);
    expect(status).toBe(0);
    const { stderr: host } = await runCli(["trace", "-d", "0.2", `${family}:work`]);
    expect(host).not.toMatch(/own calls/);
  });

  test.each([
    ["-U", [`${family}:work`, "-U"]],
    ["%U", [`${family}:work "%U", arg1`]],
  ])("%s is refused in three lines", async (_, words) => {
    const { stderr, status } = await runCli(["trace", "-d", "0.2", ...words], { prefix });
    expect(stderr).toMatch(
      /^uscope: addresses of programs cannot be named from within a pid namespace of its own\n {2}at: .*\n {2}fix: .*\n$/,
    );
    expect(status).toBe(1);
  });
});
