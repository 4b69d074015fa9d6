/** `uscope trace` on programs whose calls are known: what is printed must be what the programs did. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { runCli, startCli } from "../support/cli.js";
import { libraryPath } from "../support/elf.js";
import { compile } from "../support/programs.js";

const victim = compile("victim.c", ["-O2", "-g"]);

/** The rows of the output without the header, cut at runs of spaces into PID TID COMM FUNC and the rest. */
function rowsOf(stdout: string): { comm: string; function: string; message: string }[] {
  const [header = "", ...lines] = stdout.trimEnd().split("\n");
  const functionAt = header.indexOf("FUNC");
  const messageAt = header.endsWith(" -") ? header.length - 1 : header.length + 100;
  return lines.map((line) => ({
    comm: line.slice(16, functionAt).trim(),
    function: line.slice(functionAt, messageAt).trim(),
    message: line.slice(messageAt),
  }));
}

const messagesOf = (stdout: string): string[] => rowsOf(stdout).map(({ message }) => message);

async function traceVictim(
  probe: string,
  ...options: readonly string[]
): Promise<{ stdout: string; stderr: string; status: number | undefined }> {
  return runCli(["trace", ...options, `${victim}:${probe}`, "--", victim, "1"]);
}

const started: ChildProcess[] = [];

function startVictim(rounds: number, pause: number): ChildProcess {
  const child = spawn(victim, [String(rounds), String(pause)], { stdio: "ignore" });
  started.push(child);
  return child;
}

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

describe("values", () => {
  test.each([
    ['integers "%hhd %hu %d %llx", arg1, arg2, arg3, arg4', ["-5 65535 -100000 fedcba9876543210"]],
    [
      'integers "%d %u %lld %llu", arg3, arg3, (int)arg3, arg4',
      ["-100000 4294867296 -100000 18364758544493064720"],
    ],
    [
      'integers(int8_t a, uint16_t b, int c, uint64_t d) "%d %x %08x|%-6d|%+d", a + b, b, c, b, a',
      ["65530 ffff fffe7960|65535 |-5"],
    ],
    ['many "%ld %ld %d %s", arg6, arg7, arg8, arg9', ["6 77 -8 nine"]],
    ['many (arg7 == 77 && (int)arg8 < 0) "%d", arg1', ["1"]],
    ['many (arg7 == 78) "%d", arg1', []],
    ['text (STRCMP("plain", arg1)) "%s" arg1', ["plain"]],
    ['text (STRCMP("plai", arg1)) "%s" arg1', []],
    [
      'pointers "%d %lld %s", *(int *)arg1, *(int64_t *)(arg1 + 8), *(char **)(arg1 + 16)',
      ["-7 1099511627776 pair"],
    ],
    ['pointers "%d %d %s", ((int *)arg2)[3], *((int *)arg2 + 1), ((char **)arg3)[1]', ["-40 20 one"]],
    ['pointers "%c %d", ((char *)(*(char **)(arg1 + 16)))[1], *(int *)arg1 / 2', ["a -3"]],
    ['r:result "%d", retval', undefined],
    ['result "%d %d %u", $pid == $tgid, pid == $tgid, uid', ["1 1 0"]],
    ['result "%s %d", comm, arg1 ? 7 : 8', ["victim-OWN 8"]],
  ])("%s", async (probe, messages) => {
    const isReturn = probe.startsWith("r:");
    const { stdout, status } = await runCli([
      "trace",
      isReturn ? `r:${victim}:${probe.slice(2)}` : `${victim}:${probe}`,
      "--",
      victim,
      "1",
    ]);
    const own = victim.split("/").at(-1)!.slice(0, 15);
    expect(status).toBe(0);
    expect(messagesOf(stdout)).toEqual(
      isReturn ? ["0"] : messages?.map((message) => message.replace("victim-OWN", own)),
    );
  });

  test("text: line ends, escape sequences, NULL, bad pointers, length, cuts, broken UTF-8", async () => {
    const { stdout, stderr } = await traceVictim('text "%s", arg1', "-Z", "20");
    expect(messagesOf(stdout)).toEqual([
      "plain",
      "line\\r\\n\\x1b[31mred",
      "edge",
      "(null)",
      "<fault>",
      `${"x".repeat(20)}...`,
      "café \\xff",
    ]);
    expect(stderr).toMatch(/1 faulted read/);
  });

  test("text of exactly the limit is not called cut; %.*s takes its length", async () => {
    expect(messagesOf((await traceVictim('text "%s", arg1', "-Z", "300")).stdout)[5]).toBe("x".repeat(300));
    const { stdout } = await traceVictim('text "%.*s|%.*s", arg2, arg1, 2, arg1', "-Z", "300");
    expect(messagesOf(stdout).slice(0, 3)).toEqual(["plain|pl", "line\\r\\n\\x1b[31mred|li", "edge|ed"]);
    expect(messagesOf(stdout)[5]).toBe(`${"x".repeat(300)}|xx`);
  });

  test("--raw writes the traced bytes as they are", async () => {
    const { bytes } = await runCli([
      "trace",
      "--raw",
      `${victim}:text "%.*s", arg2, arg1`,
      "--",
      victim,
      "1",
    ]);
    expect(bytes.includes(Buffer.from("line\r\n\u001b[31mred"))).toBe(true);
    expect(bytes.includes(Buffer.from([0x63, 0x61, 0x66, 0xc3, 0xa9, 0x20, 0xff]))).toBe(true);
  });

  test("recursion and returns pair up", async () => {
    const { stdout } = await runCli([
      "trace",
      `${victim}:recursive "> %d", arg1`,
      `r:${victim}:recursive "< %d", retval`,
      "--",
      victim,
      "1",
    ]);
    expect(messagesOf(stdout)).toEqual(["> 3", "> 2", "> 1", "> 0", "< 0", "< 1", "< 2", "< 3"]);
  });

  test("registers by name", async () => {
    const { stdout } = await traceVictim('integers "%lld %lld %d", ctx->cx, reg("rcx"), ctx->di == arg1');
    expect(messagesOf(stdout)).toEqual(["-81985529216486896 -81985529216486896 1"]);
  });
});

describe.each(["uprobe_multi", "pmu"])("attached by %s", (way) => {
  test("every call is seen once, in order, with its value", async () => {
    const { stdout, stderr, status } = await runCli([
      "trace",
      "--attach",
      way,
      `${victim}:result "%d", arg1`,
      "--",
      victim,
      "5000",
    ]);
    expect(messagesOf(stdout)).toEqual(Array.from({ length: 5000 }, (_, round) => String(round)));
    expect(stderr).toMatch(new RegExp(`armed 1 place in 1 file.*${way}`));
    expect(status).toBe(0);
  });

  test("several probes share one order of time", async () => {
    const probes = ["integers", "many", "pointers", "result"].map((name) => `${victim}:${name}`);
    const { stdout } = await runCli(["trace", "--attach", way, ...probes, "--", victim, "200"]);
    expect(rowsOf(stdout).map((row) => row.function)).toEqual(
      Array.from({ length: 200 }, () => ["integers", "many", "pointers", "result"]).flat(),
    );
  });

  test("a process by -p, its returns, and an end with it", async () => {
    const child = startVictim(100_000, 1);
    const running = startCli([
      "trace",
      "--attach",
      way,
      "-p",
      String(child.pid),
      `r:${victim}:result "%d", retval`,
    ]);
    await running.until("stdout", /(?:-\d+\n){1}/);
    child.kill();
    const { stdout, stderr, status } = await running.ended;
    const values = messagesOf(stdout).map(Number);
    expect(values).toEqual(values.map((_, index) => values[0]! - 3 * index));
    expect(stderr).toMatch(/traced processes have ended/);
    expect(status).toBe(0);
  });
});

describe("patterns and places", () => {
  test("a glob shows which function was hit", async () => {
    const { stdout, stderr } = await traceVictim("[imp]*[sy]");
    expect(new Set(rowsOf(stdout).map((row) => row.function))).toEqual(
      new Set(["integers", "many", "pointers"]),
    );
    expect(stderr).toMatch(/armed [3-9] places in 1 file/);
  });

  test("a place inside a function, and the same place by address", async () => {
    const listed = await runCli(["list", "--json", victim, "result"]);
    const { address } = JSON.parse(listed.stdout) as { address: string };
    const offset = await runCli(["trace", `${victim}:${address} "%d", arg1`, "--", victim, "3"]);
    expect(messagesOf(offset.stdout)).toEqual(["0", "1", "2"]);
  });

  test("what arguments are inside a function is said where they are read", async () => {
    const { stderr: refusal } = await traceVictim("many+1");
    const next = /start at \+0x0 and (\+0x\w+)/.exec(refusal)![1]!;
    const note = "note: inside a function, arguments are read from their registers as they are by then";
    for (const [place, isSaid] of [
      [`many${next} "%d", arg1`, true],
      [`many${next}(long first) (first > 0) "called"`, true],
      [`many${next} "%d", reg("di")`, false],
      [`many${next}`, false],
      ['many "%d", arg1', false],
    ] as const)
      expect((await traceVictim(place)).stderr.includes(note), place).toBe(isSaid);
  });

  test("a place that is no instruction is refused and nothing is armed", async () => {
    const { stderr, status } = await traceVictim("many+1");
    expect(status).toBe(1);
    expect(stderr).toMatch(/instruction/);
    expect(stderr.split("\n").filter((line) => /^ {2}(at|fix):/.test(line))).toHaveLength(2);
  });
});

describe("options", () => {
  test("-M ends after N shown events, -f and -n choose them", async () => {
    const { stdout } = await runCli([
      "trace",
      "-M",
      "2",
      "-f",
      "1",
      "-n",
      "victim",
      `${victim}:result "%d", arg1`,
      "--",
      victim,
      "100",
    ]);
    expect(messagesOf(stdout)).toEqual(["1", "10"]);
    const none = await runCli(["trace", "-n", "nobody", `${victim}:result "%d", arg1`, "--", victim, "5"]);
    expect(messagesOf(none.stdout)).toEqual([]);
  });

  test("-d ends by itself", async () => {
    const child = startVictim(100_000, 5);
    const begun = performance.now();
    const { status, stdout } = await runCli([
      "trace",
      "-d",
      "0.5",
      "-p",
      String(child.pid),
      `${victim}:result "%d", arg1`,
    ]);
    expect(status).toBe(0);
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(messagesOf(stdout).length).toBeGreaterThan(5);
  });

  test("-t, -T, -u, -C add columns", async () => {
    const start = await traceVictim('result "%d", arg1', "-t", "-C");
    expect(start.stdout).toMatch(/^TIME {5}CPU PID +TID +COMM +FUNC +-\n\d\.\d{6} +\d+ +\d+ +\d+ +victim/);
    const local = await traceVictim('result "%d", arg1', "-T");
    expect(local.stdout).toMatch(/^TIME {5}PID .*\n\d\d:\d\d:\d\d \d+/);
    const unix = await traceVictim('result "%d", arg1', "-t", "-u");
    const seconds = Number(/\n(\d+\.\d{6}) /.exec(unix.stdout)?.[1]);
    expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(10);
  });

  test("-A counts equal lines", async () => {
    const { stdout } = await runCli([
      "trace",
      "-A",
      "-M",
      "20",
      `${victim}:integers "%d", arg3`,
      "--",
      victim,
      "50",
    ]);
    expect(stdout).toMatch(/integers +-100000\n-->COUNT 20\n/);
  });

  test("--uid, -L and --children choose threads and processes", async () => {
    const other = await runCli(["trace", "--uid", "12345", `${victim}:result`, "--", victim, "5"]);
    expect(rowsOf(other.stdout)).toEqual([]);
    const child = startVictim(100_000, 2);
    const thread = await runCli(["trace", "-M", "3", "-L", String(child.pid), `${victim}:result "%d", arg1`]);
    expect(messagesOf(thread.stdout)).toHaveLength(3);
    const alone = await runCli(["trace", `${victim}:child_work "%d", arg1`, "--", victim, "10", "0", "fork"]);
    expect(messagesOf(alone.stdout)).toEqual([]);
    const family = await runCli([
      "trace",
      "--children",
      `${victim}:child_work "%d", arg1`,
      "--",
      victim,
      "10",
      "0",
      "fork",
    ]);
    expect(messagesOf(family.stdout).sort()).toEqual(
      Array.from({ length: 10 }, () => ["1", "2"])
        .flat()
        .sort(),
    );
  });

  test("--json prints valid objects with exact values", async () => {
    const { stdout } = await traceVictim(
      'integers "%hhd %llu %lld %x", arg1, arg4, arg4, arg2',
      "--json",
      "-C",
    );
    const event = JSON.parse(stdout) as Record<string, unknown>;
    expect(event).toMatchObject({
      function: "integers",
      values: [-5, "18364758544493064720", "-81985529216486896", 65535],
      message: "-5 18364758544493064720 -81985529216486896 ffff",
    });
    expect(Object.keys(event)).toEqual(
      expect.arrayContaining(["time_ns", "unix_time", "probe", "pid", "tid", "comm", "cpu"]),
    );
    const texts = (await traceVictim('text "%s", arg1', "--json", "-Z", "20")).stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(texts[1]).toMatchObject({ values: ["line\r\n\u001b[31mred"] });
    expect(texts[3]).toMatchObject({ values: [null] });
    expect(texts[4]).toMatchObject({ values: [null], faults: [0] });
    expect(texts[5]).toMatchObject({ values: ["x".repeat(20)], cut: [0] });
    expect(texts[6]).toMatchObject({ values: ["café \\xff"], escaped: [0] });
  });

  test("-v shows sites, tree, IR, bytecode and the verifier's word", async () => {
    const { stderr } = await traceVictim('result "%d", arg1', "-v");
    for (const part of [
      "sites:",
      "tree:",
      "IR:",
      "bytecode:",
      "call bpf_ringbuf_reserve",
      "verifier, program result: ",
    ])
      expect(stderr).toContain(part);
  });

  test("-U shows who called, by symbol", async () => {
    const framed = compile("victim.c", ["-O1", "-g", "-fno-omit-frame-pointer"]);
    const { stdout } = await runCli([
      "trace",
      "-U",
      `${framed}:recursive (arg1 == 1) "%d", arg1`,
      "--",
      framed,
      "1",
    ]);
    expect(stdout).toMatch(
      /recursive\+0x0 \[victim-\w+\]\n +recursive\+0x\w+ \[victim-\w+\]\n +recursive\+0x\w+ \[victim-\w+\]\n +main\+0x\w+ \[victim-\w+\]\n/,
    );
  });

  test("%U names an address", async () => {
    const { stdout } = await traceVictim('result "%U", ctx->ip');
    expect(messagesOf(stdout)[0]).toMatch(/^result\+0x0 \[victim-\w+\]$/);
  });
});

describe("ends", () => {
  test("why a probe had no hit is said", async () => {
    const never = await traceVictim("never_called");
    expect(never.stderr).toMatch(/no hit: the command itself did not call it/);
    const child = startVictim(1000, 10);
    const other = await runCli(["trace", "-d", "0.3", "-p", String(child.pid), `${victim}:never_called`]);
    expect(other.stderr).toMatch(/no hit: the process maps .*nothing called it/);
    const nobody = await runCli(["trace", "-d", "0.3", `${compile("victim.c", ["-O0"])}:never_called`]);
    expect(nobody.stderr).toMatch(/no hit: no process maps/);
  });

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s ends cleanly with a summary", async (signal) => {
    const child = startVictim(100_000, 2);
    const running = startCli(["trace", "-p", String(child.pid), `${victim}:result "%d", arg1`]);
    await running.until("stdout", /result +\d+\n/);
    running.signal(signal);
    const { status, stderr } = await running.ended;
    expect(status).toBe(0);
    expect(stderr).toMatch(/ended; \d+ events? shown/);
  });

  test("a closed pipe ends cleanly", async () => {
    const child = startVictim(100_000, 1);
    const shell = spawn(
      "sh",
      [
        "-c",
        `"$0" bin/uscope trace -p ${child.pid} '${victim}:result "%d", arg1' 2>&1 | head -4`,
        process.execPath,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [code] = (await once(shell, "close")) as [number];
    expect(code).toBe(0);
  });

  test("low rates show within 50 ms", async () => {
    const child = startVictim(1000, 200);
    const running = startCli([
      "trace",
      "--json",
      "-M",
      "5",
      "-p",
      String(child.pid),
      `${victim}:result "%d", arg1`,
    ]);
    const delays: number[] = [];
    for (let seen = 1; seen <= 5; seen++) {
      await running.until("stdout", new RegExp(`(?:.*\\n){${seen}}`));
      const lines = running.stdout.trimEnd().split("\n");
      const { time_ns } = JSON.parse(lines[seen - 1]!) as { time_ns: string };
      delays.push((Number(process.hrtime.bigint()) - Number(time_ns)) / 1e6);
    }
    await running.ended;
    expect(delays.sort((left, right) => left - right)[2]).toBeLessThan(50);
  });

  test("--budget ends a trace that costs too much, and says so", async () => {
    const child = startVictim(100_000_000, 0);
    const { stderr, status } = await runCli([
      "trace",
      "--budget",
      "1",
      "-p",
      String(child.pid),
      `${victim}:result (arg1 == -1)`,
    ]);
    expect(stderr).toMatch(/the probes cost \d+\.\d % of a core/);
    expect(status).toBe(1);
  });

  test("-t counts from before the first place was armed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "uscope-times-"));
    const library = join(folder, "library.so");
    copyFileSync(libraryPath("libstdc++.so.6"), library);
    startVictim(100_000_000, 0);
    // Why a second probe: the first one's place is hit while those of the second one are still being armed.
    const { stdout } = await runCli(["trace", "-t", "-M", "2", `${victim}:result`, `${library}:*str*`]);
    rmSync(folder, { recursive: true });
    const [, ...lines] = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^\d+\.\d+ /);
  });

  test("returns deeper than the kernel keeps them are missing, and a note says so", async () => {
    const depth = compile("depth.c", ["-O1"]);
    const returns = await runCli(["trace", `r:${depth}:down`, "--", depth, "100"]);
    expect(returns.stdout.match(/ down\n/g)).toHaveLength(64);
    expect(returns.stdout).toContain("\n100\n");
    expect(returns.stderr).toMatch(/note: returns are seen 64 calls deep/);
    const entries = await runCli(["trace", `${depth}:down`, "--", depth, "100"]);
    expect(entries.stdout.match(/ down\n/g)).toHaveLength(100);
    expect(entries.stderr).not.toMatch(/note/);
  });

  test("--budget counts the hits of processes that are left out: they pay for the trap as well", async () => {
    startVictim(100_000_000, 0);
    const { stderr, status } = await runCli([
      "trace",
      "--budget",
      "1",
      "--uid",
      "4294967294",
      "-d",
      "10",
      `${victim}:result (arg1 == -1)`,
    ]);
    expect(stderr).toMatch(/the probes cost \d+\.\d % of a core/);
    expect(stderr).toMatch(/no hit: \d+ came from processes that are not asked for/);
    expect(status).toBe(1);
  });

  test("--budget says that it has ended the command", async () => {
    const { stderr, status } = await runCli([
      "trace",
      "--budget",
      "1",
      `${victim}:result (arg1 == -1)`,
      "--",
      victim,
      "100000000",
    ]);
    expect(stderr).toMatch(/more than --budget allows; the command was sent SIGTERM; 0 events/);
    expect(status).toBe(1);
  });
});
