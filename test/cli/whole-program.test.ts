/** All functions of a program that runs, armed by one pattern: how many, and which of them was hit. */
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../support/cli.js";
import { needs } from "../support/kernel.js";

describe.runIf(needs("uprobe_multi"))("every function of a node that runs", () => {
  const folder = mkdtempSync(join(tmpdir(), "uscope-whole-"));
  const program = join(folder, "whole");
  let child: ChildProcess;

  beforeAll(async () => {
    copyFileSync(realpathSync(process.execPath), program);
    child = spawn(program, ["-e", "console.log('runs'); setInterval(() => {}, 50)"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    await once(child.stdout!, "data");
  });

  afterAll(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  test("is armed by one pattern and named by its cookie", async () => {
    const { stdout, stderr, status } = await runCli(
      [
        "trace",
        "--json",
        "-M",
        "300",
        "-p",
        String(child.pid),
        // Why %U: it names the instruction by address, which knows nothing of cookies.
        `${program}:* "%U", ctx->ip`,
      ],
      { timeout: 60_000 },
    );
    expect(status, stderr).toBe(0);
    const [, places] = /armed (\d+) places in 1 file/.exec(stderr) ?? [];
    expect(Number(places)).toBeGreaterThan(70_000);
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly function: string; readonly message: string });
    expect(events).toHaveLength(300);
    expect(new Set(events.map((event) => event.function)).size).toBeGreaterThan(20);
    for (const event of events) expect(event.message).toMatch(/\+0x[0-4] \[whole\]$/);
    // Why not every one: functions of equal code are one place with several names.
    const agreeing = events.filter((event) => event.message.startsWith(`${event.function}+`));
    expect(agreeing.length).toBeGreaterThan(270);
  });

  test("is counted by one pattern, each by its name", async () => {
    const { stdout, stderr, status } = await runCli(
      ["count", "--json", "-d", "1", "-p", String(child.pid), `${program}:*`],
      { timeout: 60_000 },
    );
    expect(status, stderr).toBe(0);
    const [, places] = /armed (\d+) places in 1 file/.exec(stderr) ?? [];
    expect(Number(places)).toBeGreaterThan(70_000);
    const objects = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly function: string; readonly count: number });
    const { total, functions } = objects.pop() as unknown as Record<"total" | "functions", number>;
    expect(functions).toBe(objects.length);
    expect(functions).toBeGreaterThan(100);
    expect(total).toBe(objects.reduce((sum, { count }) => sum + count, 0));
    expect(stderr).toContain(`: ${total} hits, 0 lost\n`);
    // Its timer runs every 50 ms, each time in a turn of libuv's loop.
    const countOf = (name: string): number => objects.find((row) => row.function === name)?.count ?? 0;
    expect(countOf("uv__run_timers")).toBeGreaterThanOrEqual(10);
    expect(countOf("uv__run_timers")).toBeLessThanOrEqual(60);
    const names = new Set(
      execFileSync("nm", [program], { encoding: "utf8", maxBuffer: 1 << 28 })
        .split("\n")
        .map((line) => line.split(" ").at(-1)!),
    );
    const plain = objects.map((row) => row.function).filter((name) => /^\w+$/.test(name));
    expect(plain.length).toBeGreaterThan(10);
    expect(plain.filter((name) => !names.has(name))).toEqual([]);
  });
});
