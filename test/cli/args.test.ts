/** `uscope args` as a person uses it, against what the traced program knows of itself and bpftrace; and every sample of docs/args.md. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli, startCli } from "../support/cli.js";
import { requires } from "../support/kernel.js";
import { compile } from "../support/programs.js";
import { asShown, openSamples } from "../support/samples.js";

const shares = compile("shares.c", ["-O2", "-pthread"]);
const calls = compile("libc-calls.c", ["-O2", "-g", "-fno-omit-frame-pointer"]);
const names = compile("functions.cc");

/** What shares.c does. */
const callCount = 1000;
const depth = 6;
const texts = ["get", "set", "mget"];
const sizes = [...Array.from({ length: callCount }, (_, call) => call * call), 0];
const changed: number[] = [];
for (let value = -5; value <= 70_000; value += value < 10 ? 1 : 9999) changed.push(value);

interface Bucket {
  readonly from: number | null;
  readonly to: number;
  readonly count: number;
}

interface Printed {
  readonly spec: string;
  readonly label?: string;
  readonly rows: readonly {
    readonly values: Readonly<Record<string, number | string>>;
    readonly count: number;
  }[];
  readonly value: string;
  readonly unit?: string;
  readonly count: number;
  readonly sum: string;
  readonly buckets: readonly Bucket[];
}

/** Runs the program under the specs to its end; `x:` in them is the program. */
async function gather(
  words: readonly string[],
  command: readonly string[] = [shares],
): Promise<readonly Printed[]> {
  const named = words.map((word) => word.replaceAll("x:", `${command[0]}:`));
  const { stdout, stderr, status } = await runCli(["args", "--json", "-i", "60", ...named, "--", ...command]);
  expect(stderr).not.toMatch(/missing|faulted|returns of calls|[1-9]\d* lost/);
  expect(status).toBe(0);
  return stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Printed);
}

/** Counts by the values of a row, joined. */
function countsOf({ rows }: Printed): Record<string, number> {
  return Object.fromEntries(rows.map(({ values, count }) => [Object.values(values).join(" "), count]));
}

function tally(keys: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

/** Buckets that hold something, by their lower end. */
function filled(buckets: readonly Bucket[]): Record<string, number> {
  return Object.fromEntries(
    buckets.filter(({ count }) => count > 0).map(({ from, count }) => [String(from), count]),
  );
}

function bucketOf(value: number, least: string): string {
  return value < 1 ? least : String(2 ** Math.floor(Math.log2(value)));
}

describe("counts", () => {
  test("tuples with text, which ends at its zero", async () => {
    const [printed] = await gather(["p:x:take(int fd, char *text):int,char*:fd,text"]);
    const known = Array.from({ length: callCount }, (_, call) => `${call % 4} ${texts[call % 3]}`);
    expect(countsOf(printed!)).toEqual(tally([...known, "9 (null)"]));
  });

  test("what a filter lets pass, and the rest as held back", async () => {
    const spec = 'x:take(int fd, char *text, size_t size):int:fd:STRCMP("get", text) ? fd > 1 : size == 1';
    const { stdout, stderr } = await runCli(["args", spec.replace("x:", `${shares}:`), "--", shares]);
    const held = Array.from({ length: callCount }, (_, call) => call).filter(
      (call) => call % 3 === 0 && call % 4 > 1,
    );
    expect(stdout).toContain(`\t1          fd = 1\n`);
    expect(stdout).toContain(`\t${held.filter((call) => call % 4 === 2).length}         fd = 2\n`);
    expect(stderr).toContain(
      `${callCount + 1} hits, ${callCount - held.length} held back by the predicate, 0 lost`,
    );
  });

  test("calls, and what they return as an int", async () => {
    const [all, returned] = await gather(["x:take()", "r:x:take()"]);
    expect(all!.rows).toEqual([{ values: {}, count: callCount + 1 }]);
    expect(countsOf(returned!)).toEqual({ 0: 250, 10: 250, 20: 250, 30: 250, 90: 1 });
  });

  test("numbers of 64 bits and addresses as text, process and name", async () => {
    const [printed] = await gather([
      "x:take(int fd, void *text):u64,void*,char*,u32:fd,text,$COMM,$PID:fd == 9",
    ]);
    const [{ values }] = printed!.rows as [Printed["rows"][number]];
    expect(values).toEqual({
      fd: "9",
      text: "0x0",
      $COMM: basename(shares).slice(0, 15),
      $PID: expect.any(Number),
    });
  });

  test("functions with C++ names", async () => {
    const specs = [
      "p:x:shop::price(int item, const char *coupon):int:item",
      'p:x:"shop::price(int)"(int n):int:n',
    ];
    const [several, one] = await gather(specs, [names]);
    expect(several!.rows.length).toBeGreaterThan(0);
    expect(one!.rows.length).toBeGreaterThan(0);
  });

  test("no more rows than -T, and no more text than -z", async () => {
    const spec = `${shares}:take(int fd, char *text):char*:text`;
    const { stdout } = await runCli(["args", spec, "-T", "2", "-z", "3", "--", shares]);
    expect(stdout).toMatch(/EVENT\n\t333 {8}text = set\n\t334 {8}text = get\n$/);
    const all = await runCli(["args", spec, "-z", "3", "--", shares]);
    expect(all.stdout).toContain("\t333        text = mge...\n");
  });
});

describe("both ends of a call", () => {
  test("belong together in recursion", async () => {
    const [levels, durations] = await gather([
      "r:x:descend(int level):int,int:$entry(level),$retval",
      "-H",
      "r:x:descend(int level):u64:$latency:$entry(level) == 6",
    ]);
    const known = Array.from({ length: depth }, (_, level) => [`${level + 1} ${level + 1}`, 3]);
    expect(countsOf(levels!)).toEqual(Object.fromEntries(known));
    expect(durations!.count).toBe(3);
    expect(durations!.unit).toBe("ns");
    expect(Number(durations!.sum)).toBeGreaterThan(3 * 2_000_000);
  });

  test("belong together in threads", async () => {
    const [printed] = await gather([
      "r:x:work(int thread, int turn):int,int:$entry(thread),$retval - $entry(thread * 100)",
    ]);
    const known = [0, 1, 2, 3].flatMap((thread) => [0, 1].map((rest) => [`${thread} ${rest}`, 125]));
    expect(countsOf(printed!)).toEqual(Object.fromEntries(known));
  });
});

describe("histograms", () => {
  test("hold each value once, in its bucket", async () => {
    const [unsigned, signed, nap] = await gather([
      "-H",
      "p:x:take(int fd, char *text, size_t size):size_t:size",
      "-H",
      "r:x:change(long value):long:-$retval",
      "-H",
      "p:c:nanosleep(struct timespec *req):long:req->tv_nsec:req->tv_nsec < 2000",
    ]);
    expect(filled(unsigned!.buckets)).toEqual(tally(sizes.map((size) => bucketOf(size, "0"))));
    expect(unsigned!.sum).toBe(String(sizes.reduce((sum, size) => sum + size)));
    expect(filled(signed!.buckets)).toEqual(tally(changed.map((value) => bucketOf(value, "null"))));
    expect(signed!.sum).toBe(String(changed.reduce((sum, value) => sum + value)));
    expect(nap!).toMatchObject({ count: 5, sum: "7500", buckets: [{ from: 1024, to: 2048, count: 5 }] });
  });
});

describe.skipIf(!requires("bpftrace"))("beside bpftrace, on the same run", () => {
  test("counts and buckets are equal", async () => {
    const program = spawn(shares, ["wait"], { stdio: ["pipe", "ignore", "inherit"] });
    const pid = String(program.pid);
    await using own = startCli([
      "args",
      "--json",
      "-i",
      "60",
      "-p",
      pid,
      "-C",
      `${shares}:take(int fd, char *text):int,char*:fd,text:fd < 4`,
      "-H",
      `${shares}:take(int fd, char *text, size_t size):size_t:size`,
    ]);
    const script = `uprobe:${shares}:take { if (arg0 < 4) { @count[(int32)arg0, str(arg1)] = count(); } @size = hist(arg2); } BEGIN { printf("ready\\n"); }`;
    const peer = spawn("bpftrace", ["-B", "line", "-f", "json", "-p", pid, "-e", script], {
      env: { ...process.env, BPFTRACE_MAP_KEYS_MAX: "64" },
      stdio: ["ignore", "pipe", "ignore"],
    });
    let said = "";
    peer.stdout.on("data", (piece: Buffer) => (said += piece.toString()));
    const peerEnded = once(peer, "close");
    await own.until("stderr", /armed/);
    while (!said.includes("ready")) await new Promise((wake) => setTimeout(wake, 20));
    program.stdin.end("go\n");
    const { stdout } = await own.ended;
    await peerEnded;
    const [counts, histogram] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Printed);
    const maps = said
      .split("\n")
      .filter((line) => line.startsWith('{"type": "map"') || line.startsWith('{"type": "hist"'));
    const { "@count": peerCounts, "@size": peerSizes } = Object.assign(
      {},
      ...maps.map((line) => (JSON.parse(line) as { data: object }).data),
    ) as {
      "@count": Record<string, number>;
      "@size": readonly { readonly min?: number; readonly count: number }[];
    };
    const ours = Object.fromEntries(
      Object.entries(countsOf(counts!)).map(([key, count]) => [key.replace(" ", ","), count]),
    );
    expect(ours).toEqual(peerCounts);
    const theirs = peerSizes.filter(({ count }) => count > 0).map(({ min, count }) => [String(min), count]);
    expect(filled(histogram!.buckets)).toEqual(Object.fromEntries(theirs));
  });
});

describe("intervals", () => {
  const spec = `${shares}:take(int fd):int:fd`;

  test("-n and -i: as many as asked for; -c: all since the start", async () => {
    const program = spawn(shares, ["wait"], { stdio: ["pipe", "ignore", "inherit"] });
    const words = ["-p", String(program.pid), "-i", "0.4"];
    await using each = startCli(["args", spec, ...words, "-n", "3"]);
    await using sum = startCli(["args", spec, ...words, "-c", "-d", "1.2"]);
    // Why: the program ends when it has been told to go; so it is told only when the first interval is over.
    await Promise.all([each, sum].map((running) => running.until("stdout", /EVENT\n/)));
    program.stdin.end("go\n");
    const [one, other] = await Promise.all([each.ended, sum.ended]);
    expect(one.stdout.match(/^\[\d\d:\d\d:\d\d\]$/gm)!.length).toBeLessThanOrEqual(3);
    for (const { stdout } of [one, other]) {
      expect(stdout).toMatch(/EVENT\n\[/);
      expect(stdout).toMatch(/\t1 {10}fd = 9\n\t250 {8}fd = 0\n[^]*\t250 {8}fd = 3\n$/);
    }
  });

  test.each([
    ["-n", "2", 2],
    ["-d", "0.6", 3],
    // Nothing came in the rest of 0.1 seconds.
    ["-d", "0.7", 3],
  ])("%s %s ends what else would go on", async (letter, number, blocks) => {
    const program = spawn(shares, ["wait"], { stdio: ["pipe", "ignore", "inherit"] });
    const pid = String(program.pid);
    const { stdout, status } = await runCli([
      "args",
      "--json",
      "-c",
      spec,
      "-i",
      "0.2",
      "-p",
      pid,
      letter,
      number,
    ]);
    program.kill();
    expect(stdout.trim().split("\n")).toHaveLength(blocks);
    expect(status).toBe(0);
  });

  test("-t: one thread alone", async () => {
    const program = spawn(shares, ["wait"], { stdio: ["pipe", "ignore", "inherit"] });
    const specs = [spec, `${shares}:work(int thread):int:thread`];
    await using running = startCli(["args", ...specs, "-t", String(program.pid), "-i", "60"]);
    await running.until("stderr", /armed/);
    program.stdin.end("go\n");
    const { stdout } = await running.ended;
    expect(stdout).toContain("fd = 3");
    expect(stdout).not.toContain("thread = ");
  });

  test("Ctrl-C prints what there is", async () => {
    const program = spawn(shares, ["wait"], { stdio: ["pipe", "ignore", "inherit"] });
    await using running = startCli(["args", spec, "-p", String(program.pid), "-i", "60"]);
    await running.until("stderr", /armed/);
    running.signal("SIGINT");
    const { stdout, status } = await running.ended;
    program.kill();
    expect(stdout).toMatch(/^\[.*\]\n.*\n\tCOUNT {6}EVENT\n$/);
    expect(status).toBe(0);
  });
});

// All for user space in the manual of argdist and its help, unchanged.
describe("one-liners from the manual of BCC's argdist", () => {
  test.each([
    [["-C", "p:c:malloc(size_t size):size_t:size:size==16"], ""],
    [["-C", "r:c:gets():char*:(char*)$retval#snooped strings"], "snooped strings"],
    [["-C", "r:c:gets():char*:$retval"], ""],
    [["-C", "p:c:write(int fd):int:fd"], "\t3          fd = 2\n"],
    [["-C", "p:c:write(int fd):int:fd", "-T", "5"], "\t3          fd = 2\n"],
    [["-H", "r:c:read()"], "count 1\n"],
    [["-H", "p:c:write(int fd, const void *buf, size_t count):size_t:count:fd==1"], "[4, 8) 1"],
    [["-C", "p:c:fork()#fork calls"], "fork calls\n"],
    [["-C", "p:c:fork():int:$PID;fork per process"], "fork per process\n"],
    [
      [
        "-H",
        "p:c:sleep(u32 seconds):u32:seconds",
        "-H",
        "p:c:nanosleep(struct timespec *req):long:req->tv_nsec",
      ],
      "no values\n",
    ],
    [
      ["-z", "120", "-C", "p:c:write(int fd, char* buf, size_t len):char*:buf:fd==1"],
      "\t1          buf = hello\\n\n",
    ],
  ])("%j", async (words, shown) => {
    const { stdout, stderr, status } = await runCli([
      "args",
      ...words,
      "--",
      calls,
      "files",
      "descriptors",
      "memory",
    ]);
    expect(status, stderr).toBe(0);
    expect(stdout).toContain(shown);
  });

  test.each([
    ["u:pthread:pthread_start():u64:arg2", 'no marker "pthread_start" in pthread'],
    [
      "t:irq:irq_handler_entry():int:args->irq",
      "is a tracepoint of the kernel, and uscope traces user programs",
    ],
    ["p::__kmalloc(u64 size):u64:size", "means a function of the kernel, and uscope traces user programs"],
  ])("refuses %s as uscope trace does", async (spec, what) => {
    const { stderr, status } = await runCli(["args", "-C", spec]);
    expect(stderr).toContain(what);
    expect(status).toBe(1);
  });
});

describe("a wrong command line", () => {
  test.each([
    [[], "nothing to gather"],
    [["-I", "a.h", "c:f()"], "-I: no headers are read, and none are needed"],
    [["-z", "251", "c:f()"], "-z 251 is more than a key can hold"],
    [["-n", "0", "c:f()"], "-n/--number takes a whole number from 1 on"],
    [["-i", "0", "c:f()"], "-i 0 is no interval"],
    [["-t", "1", "-p", "1", "c:f()"], "exclude each other"],
    [["--children", "c:f()"], "--children needs -p or -- COMMAND"],
  ])("%j", async (words, what) => {
    const { stderr, status } = await runCli(["args", ...words]);
    expect(stderr).toContain(what);
    expect(stderr).toMatch(/\n {2}at: uscope args\n {2}fix: /);
    expect(status).toBe(2);
  });
});

/** Times and process ids are never the same twice. */
function settled(text: string): string {
  return text
    .replaceAll(/^\[\d\d:\d\d:\d\d\]$/gm, "[HH:MM:SS]")
    .replaceAll(/process \d+/g, "process PID")
    .replaceAll(/"unix_time":[\d.]+/g, '"unix_time":0');
}

describe("docs/args.md", () => {
  using folder = openSamples("args.md");
  test("has samples", () => expect(folder.samples.length).toBeGreaterThan(5));
  test.each(folder.samples.map((sample) => [sample.command, sample] as const))("%s", (_, sample) => {
    using own = openSamples("args.md");
    const expected = { ...sample, output: settled(sample.output) };
    expect(asShown(settled(own.run(sample)), expected)).toBe(expected.output);
  });
});
