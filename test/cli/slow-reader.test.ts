/** A reader that pauses, or a handler that is too slow, must never keep a trace from ending. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { arm } from "../../src/index.js";
import { startCli } from "../support/cli.js";
import { compile } from "../support/programs.js";

const victim = compile("victim.c");
const started: ChildProcess[] = [];

function startVictim(): ChildProcess {
  const child = spawn(victim, ["1000000000", "0"], { stdio: "ignore" });
  started.push(child);
  return child;
}

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

/** `sleep` never reads its input: the pipe fills after 64 KiB. */
function traceIntoPause(pid: number, options: string): ReturnType<typeof startCli> {
  const words = ["trace", "-p", String(pid), ...options.split(" "), `${victim}:integers "%d", arg3`];
  const prefix = ["bash", "-c", '"$@" > >(exec sleep 30 >/dev/null 2>&1)', "bash"];
  return startCli(words, { prefix });
}

test("-d ends although the reader is paused; then what was shown waits for it until somebody interrupts", async () => {
  const child = startVictim();
  await using running = traceIntoPause(child.pid!, "-b 16 -d 1");
  await running.until("stderr", /armed/);
  await sleep(2500);
  const uscope = await findUscope(child.pid!);
  process.kill(uscope, "SIGTERM");
  const { stderr } = await running.ended;
  expect(stderr).toMatch(/ended; \d+ events shown/);
  expect(Number(/(\d+) lost/.exec(stderr)?.[1])).toBeGreaterThan(0);
});

test("SIGTERM ends a trace whose reader is paused", async () => {
  const child = startVictim();
  await using running = traceIntoPause(child.pid!, "-C");
  await running.until("stderr", /armed/);
  await sleep(700);
  process.kill(await findUscope(child.pid!), "SIGTERM");
  const begun = performance.now();
  await running.ended;
  expect(performance.now() - begun).toBeLessThan(2000);
});

test("a handler slower than the events can still be stopped", async () => {
  const child = startVictim();
  const controller = new AbortController();
  await using armed = await arm({
    probes: [`${victim}:integers`, `${victim}:result`],
    pids: [child.pid!],
    bufferPages: 16,
  });
  // Why not after a time: on a busy machine the traced program may run as slowly as the handler for a while.
  const isFull = setInterval(() => armed.counters()[0]!.lost > 0n && controller.abort(), 200);
  const begun = performance.now();
  const ending = await armed.run({
    signal: controller.signal,
    onEvent() {
      const until = performance.now() + 0.02;
      while (performance.now() < until);
    },
  });
  clearInterval(isFull);
  expect(ending.kind).toBe("stopped");
  expect(performance.now() - begun).toBeLessThan(15_000);
  expect(armed.counters()[0]!.lost).toBeGreaterThan(0n);
});

/** The uscope that traces a process, under the shell that started it. */
async function findUscope(pid: number): Promise<number> {
  const { execFileSync } = await import("node:child_process");
  const found = execFileSync("pgrep", ["-f", `uscope trace -p ${pid} `], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map(Number);
  return found.at(-1)!;
}
