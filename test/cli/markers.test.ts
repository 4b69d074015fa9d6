/** `uscope trace 'u:...'` on programs whose markers and values are known, and beside bpftrace and BCC on the same run. */
import { spawn } from "node:child_process";
import { closeSync, copyFileSync, existsSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { runCli, startCli } from "../support/cli.js";
import { converse, fits, onX86, requires } from "../support/kernel.js";
import type { Conversation } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const folder = mkdtempSync(join(tmpdir(), "uscope-markers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The FUNC column and what stands behind it, of each event. */
function eventsOf(stdout: string): string[] {
  const [header = "", ...lines] = stdout.trimEnd().split("\n");
  const at = header.indexOf("FUNC");
  return lines.map((line) => line.slice(at).replaceAll(/ +/g, " ").trim());
}

const messagesOf = (stdout: string): string[] =>
  eventsOf(stdout).map((event) => event.slice(event.indexOf(" ") + 1));

const marked = compile("marked.c");

/** A program that passes its markers as often as it is told to. */
interface Marked extends Conversation {
  readonly pid: string;
  pass(rounds: number): Promise<string>;
  /** Of alpha:tick, and of the two places of alpha:step. */
  semaphores(): number[];
}

async function startMarked(): Promise<Marked> {
  const conversation = converse(marked);
  const [, ...addresses] = (await conversation.line()).split(" ");
  const pid = String(conversation.child.pid);
  return {
    ...conversation,
    pid,
    pass(rounds) {
      conversation.say(String(rounds));
      return conversation.line();
    },
    semaphores: () => addresses.map((address) => readCounter(pid, Number.parseInt(address, 16))),
  };
}

function readCounter(pid: string, address: number): number {
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const bytes = Buffer.alloc(2);
  readSync(memory, bytes, 0, 2, address);
  closeSync(memory);
  return bytes.readUInt16LE();
}

const list = (count: number): string =>
  Array.from({ length: count }, (_, index) => `arg${index + 1}`).join(", ");

describe.runIf(onX86())("arguments: every form at every width", () => {
  const forms = compile("marker-forms.c");
  test.each([
    [
      "parts",
      "%d %d %d %d %d %d %u %d %lx %ld",
      "136 -120 135 -121 34696 -30840 2240186248 -2054781048 8182838485868788 -9114578090645354616",
    ],
    [
      "numbered",
      "%d %d %d %d %u %d %lx %ld %d %x %lx",
      "248 -8 63480 -2056 4126603256 -168364040 f1f2f3f4f5f6f7f8 -1012478732780767240 8 5060708 102030405060708",
    ],
    [
      "addresses",
      "%lx %x %x %x %d %ld %lx %d %ld %*%d %lx %ld %ld",
      "1122334455667788 55667788 11223344 1122 -120 -2 fffffffd -3 -2 %21862 1122334455667788 9223372036854775807 -2",
    ],
    [
      "symbols",
      "%lx %ld %x %d %d %ld %u %d %d %d %d %d %ld %lu",
      "1122334455667788 -2 fffffffd -3 136 -1 4294967295 -5 16 -128 255 -300 -9223372036854775808 18446744073709551615",
    ],
    ["twelve", "%d %d %d %d %d %u %ld %lx %ld", "-1 200 -2 60000 -3 4000000000 -4 1122334455667788 -2"],
  ])("%s", async (marker, format, expected) => {
    const count = format.match(/%(?!\*)/g)!.length;
    const probe = `u:${forms}:forms:${marker} "${format.replace("%*", "%%")}", ${list(count)}`;
    const { stdout, stderr } = await runCli(["trace", probe, "--", forms]);
    expect(stderr).toMatch(/armed 1 place in 1 file/);
    expect(messagesOf(stdout)).toEqual([expected]);
  });

  test("beyond the tenth; in any expression, in their own types", async () => {
    const probe = `u:${forms}:twelve (arg1 < 0 && arg3 == -2) "%d %ld %d %s", arg11, arg12 - arg11, arg6 > arg5 ? 1 : 0, comm`;
    const { stdout } = await runCli(["trace", probe, "--", forms]);
    // Spec: C17 6.3.1.8: -3 becomes 4294967293 beside an unsigned number.
    expect(messagesOf(stdout)).toEqual([`11 1 0 ${forms.split("/").at(-1)!.slice(0, 15)}`]);
  });

  test("text, by its zero and by a length", async () => {
    const probe = `u:${forms}:texts "%s|%.*s|%c", arg1, arg2, arg1, ((char *)arg1)[5]`;
    const { stdout } = await runCli(["trace", probe, "--", forms]);
    expect(messagesOf(stdout)).toEqual(["text of a marker|text|o"]);
  });

  test("one that cannot be read or understood is an error of its own, the others keep their places", async () => {
    const sound = await runCli(["trace", `u:${forms}:vectors "%d %d", arg1, arg5`, "--", forms]);
    expect(messagesOf(sound.stdout)).toEqual(["7 9"]);
    const odd = await runCli(["trace", `u:${forms}:odd "%d %d", arg1, arg3`, "--", forms]);
    expect(messagesOf(odd.stdout)).toEqual(["7 9"]);
    for (const argument of ["arg2", "arg3", "arg4"]) {
      const { status, stderr } = await runCli(["trace", `u:${forms}:vectors "%d", ${argument}`, "--", forms]);
      expect(status).toBe(1);
      expect(stderr).toMatch(new RegExp(`${argument} cannot be read here: `));
    }
    const { stderr } = await runCli(["trace", `u:${forms}:vectors "%d", arg6`, "--", forms]);
    expect(stderr).toMatch(/arg6 is not known here: there are 5 arguments/);
  });

  test("one in memory that is not there is marked, the rest of the event stands", async () => {
    const { stdout, stderr } = await runCli(["trace", `u:${forms}:nowhere "%d %d", arg1, arg2`, "--", forms]);
    expect(messagesOf(stdout)).toEqual(["<fault> 3"]);
    expect(stderr).toMatch(/1 faulted read/);
  });

  test("of a pattern: one that some markers lack is marked there, and only there", async () => {
    const { stdout } = await runCli(["trace", `u:${forms}:[vt][ew][ce]* "%ld", arg12`, "--", forms]);
    expect(eventsOf(stdout)).toEqual(["forms:vectors <fault>", "forms:twelve 12"]);
  });
});

describe("places", () => {
  test("several of one marker with a layout each, in the order in which they are passed", async () => {
    await using program = await startMarked();
    await using cli = startCli(["trace", "-p", program.pid, `u:${marked}:alpha:tick "%ld %d", arg1, arg2`]);
    await cli.until("stderr", /armed 3 places in 1 file/);
    expect(await program.pass(2)).toBe("done 2 guarded 6");
    await cli.until("stdout", /-2 3/);
    cli.signal("SIGINT");
    const { stdout } = await cli.ended;
    expect(eventsOf(stdout)).toEqual(
      ["1 1", "1001 2", "-1 3", "2 1", "1002 2", "-2 3"].map((values) => `alpha:tick ${values}`),
    );
  });

  test.each([
    ["tick", ["alpha:tick", "alpha:tick", "alpha:tick", "beta:tick"]],
    ["beta:tick", ["beta:tick"]],
    ["b*:*", ["beta:tick"]],
    ["double-name", ["alpha:double__name"]],
    ["double__name", ["alpha:double__name"]],
    ["alpha:d*-n*", ["alpha:double__name"]],
    ["step", ["alpha:step", "alpha:step"]],
    ["[ab]*:[sm]*", ["alpha:step", "alpha:step", "alpha:many"]],
  ])("of %s are named as they are", async (name, names) => {
    await using program = await startMarked();
    await using cli = startCli(["trace", "-p", program.pid, `u:${marked}:${name} "x"`]);
    await cli.until("stderr", /armed \d/);
    await program.pass(1);
    program.child.kill();
    const { stdout } = await cli.ended;
    expect(eventsOf(stdout)).toEqual(names.map((one) => `${one} x`));
  });

  test("of three processes of one file two are traced: the third is silent and knows it", async () => {
    await using one = await startMarked();
    await using two = await startMarked();
    await using three = await startMarked();
    const probe = `u:${marked}:beta:tick "%s", arg1`;
    await using cli = startCli(["trace", "-p", one.pid, "-p", two.pid, probe, `u:${marked}:step "%d", arg1`]);
    await cli.until("stderr", /armed 3 places/);
    expect([one, two, three].map((program) => program.semaphores())).toEqual([
      [0, 1, 1],
      [0, 1, 1],
      [0, 0, 0],
    ]);
    for (const program of [three, one, two]) await program.pass(5);
    for (const program of [one, two]) program.child.kill();
    const { stdout } = await cli.ended;
    const pids = stdout
      .split("\n")
      .slice(1, -1)
      .map((line) => line.split(/ +/)[0]);
    expect(pids.filter((pid) => pid === one.pid).length).toBe(15);
    expect(pids.filter((pid) => pid === two.pid).length).toBe(15);
    expect(pids.length).toBe(30);
    expect(eventsOf(stdout).slice(0, 3)).toEqual(["beta:tick a text", "alpha:step 1", "alpha:step -1"]);
  });
});

test("all markers of a file: each with its own arguments, through few links", async () => {
  await using program = await startMarked();
  await using cli = startCli(["trace", "-v", "-p", program.pid, `u:${marked}:*`]);
  await cli.until("stderr", /armed 8 places/);
  await program.pass(1);
  program.child.kill();
  const { stdout, stderr } = await cli.ended;
  expect(eventsOf(stdout)).toEqual([
    "alpha:tick arg1=1 arg2=1",
    "alpha:tick arg1=1001 arg2=2",
    "alpha:tick arg1=-1 arg2=3",
    expect.stringMatching(/^beta:tick arg1=0x[0-9a-f]+$/),
    "alpha:double__name arg1=1",
    "alpha:step arg1=1",
    "alpha:step arg1=-1",
    "alpha:many arg1=1 arg2=2 arg3=3 arg4=4 arg5=5 arg6=6 arg7=7 arg8=8 arg9=9 arg10=10 arg11=12 arg12=-1",
  ]);
  // Why: the kernel takes 40 ms to let go of a link.
  expect(stderr.match(/^verifier, program/gm)?.length).toBe(1);
});

test("of a stack: a marker that begins a function has its caller", async () => {
  const nops = compile("marker-nops.c");
  const { stdout } = await runCli(["trace", "-U", "-M", "1", `u:${nops}:begins "x"`, "--", nops]);
  expect(stdout).toMatch(/begins\+0x0 [^]*calls\+0x/);
});

describe.each([["uprobe_multi"], ["pmu"]])("semaphores, through %s", (way) => {
  const probe = `u:${marked}:alpha:[ts]*`;

  test.each([
    ["with a process", true],
    ["without a process: those that are there, and those that start", false],
  ])("%s", async (_, isByPid) => {
    await using program = await startMarked();
    expect(program.semaphores()).toEqual([0, 0, 0]);
    const words = ["trace", "--attach", way, ...(isByPid ? ["-p", program.pid] : []), probe];
    await using cli = startCli(words);
    await cli.until("stderr", /armed 5 places/);
    expect(program.semaphores()).toEqual([3, 1, 1]);
    await using later = await startMarked();
    expect(later.semaphores()).toEqual(isByPid ? [0, 0, 0] : [3, 1, 1]);
    cli.signal("SIGINT");
    await cli.ended;
    expect(program.semaphores()).toEqual([0, 0, 0]);
    expect(later.semaphores()).toEqual([0, 0, 0]);
  });

  test("of two tracers at once; back to zero when one is killed and the other ends", async () => {
    await using program = await startMarked();
    await using first = startCli(["trace", "--attach", way, `u:${marked}:alpha:tick`]);
    await using second = startCli(["trace", "--attach", way, "-p", program.pid, `u:${marked}:tick`]);
    await first.until("stderr", /armed 3 places/);
    await second.until("stderr", /armed 4 places/);
    const [both] = program.semaphores();
    expect(both).toBeGreaterThan(0);
    expect(await program.pass(1)).toMatch(/guarded 3/);
    first.signal("SIGKILL");
    await first.ended;
    await expect.poll(() => program.semaphores()[0]).toBe(3);
    expect(await program.pass(1)).toMatch(/guarded 6/);
    second.signal("SIGINT");
    await second.ended;
    expect(program.semaphores()).toEqual([0, 0, 0]);
    expect(await program.pass(1)).toMatch(/guarded 6/);
  });
});

const library = (value: number, provider = "shelf"): string => {
  const path = join(folder, `libshelf${value}.so`);
  const built = compile("marked-library.c", [
    "-O2",
    "-shared",
    "-fPIC",
    `-DVALUE=${value}`,
    `-DPROVIDER=${provider}`,
  ]);
  copyFileSync(built, path);
  return path;
};
const loads = compile("loads-marked.c");

async function startLoads(...libraries: readonly string[]): Promise<Conversation> {
  const conversation = converse(loads, libraries);
  expect(await conversation.line()).toBe("ready");
  return conversation;
}

async function traceLoads(program: Conversation, probe: string): Promise<{ stdout: string; stderr: string }> {
  await using cli = startCli(["trace", "-p", String(program.child.pid), probe]);
  await cli.until("stderr", /armed \d+ places? in \d/);
  program.say("2");
  await program.line();
  program.child.kill();
  return await cli.ended;
}

describe("files", () => {
  test("three libraries with one marker: all without a library, one by its name", async () => {
    const paths = [1, 2, 3].map((value) => library(value));
    await using program = await startLoads(...paths);
    const all = await traceLoads(program, 'u::shelf:taken "%ld %d", arg1, arg2');
    expect(messagesOf(all.stdout)).toEqual(["1 1", "1 2", "1 3", "2 1", "2 2", "2 3"]);
    await using again = await startLoads(...paths);
    const one = await traceLoads(again, 'u:shelf2:taken "%ld %d", arg1, arg2');
    expect(messagesOf(one.stdout)).toEqual(["1 2", "2 2"]);
  });

  test("in memory, and removed from the disk", async () => {
    await using program = await startLoads(`memfd:${library(4)}`, `gone:${library(5)}`);
    const { stdout, stderr } = await traceLoads(program, 'u::taken "%ld %d", arg1, arg2');
    expect(messagesOf(stdout)).toEqual(["1 4", "1 5", "2 4", "2 5"]);
    expect(stderr).toMatch(/libshelf5\.so was deleted or replaced/);
    expect(stderr).not.toMatch(/memfd.*deleted/);
    await using again = await startLoads(`memfd:${library(4)}`);
    expect(messagesOf((await traceLoads(again, 'u:memfd:shelf:shelf:taken "%ld", arg1')).stdout)).toEqual([
      "1",
      "2",
    ]);
  });

  test("without a process: what any process maps now", async () => {
    await using program = await startLoads(library(6));
    await using cli = startCli(["trace", 'u::shelf:taken "%ld %d", arg1, arg2']);
    await cli.until("stderr", /armed 1 place in 1 file, all processes/);
    program.say("1");
    await cli.until("stdout", /1 6/);
    cli.signal("SIGINT");
    expect(messagesOf((await cli.ended).stdout)).toEqual(["1 6"]);
  });

  test("of a command: its own program", async () => {
    const forms = compile("marker-forms.c");
    const { stdout } = await runCli(["trace", 'u::forms:nowhere "%d", arg2', "--", forms]);
    expect(messagesOf(stdout)).toEqual(["3"]);
  });
});

const fails = async (...words: readonly string[]): Promise<string> => {
  const { status, stderr } = await runCli(["trace", ...words]);
  expect(status).toBe(1);
  return stderr.replaceAll(marked, "marked");
};

describe("what is not there", () => {
  test("a marker: the nearest names, and the provider that has it", async () => {
    expect(await fails(`u:${marked}:tck`)).toMatch(
      /no marker "tck" in marked\n +at: marked, 5 markers\n +fix: did you mean "tick"\?/,
    );
    expect(await fails(`u:${marked}:gamma:tick`)).toMatch(
      /fix: it is a marker of another provider: u:marked:alpha:tick or u:marked:beta:tick/,
    );
    expect(await fails(`u:${marked}:nothing*`)).toMatch(/no marker matches "nothing\*"/);
  });

  test("a function of that name, a marker's name, a probe in front of a format", async () => {
    expect(await fails(`${marked}:many`)).toMatch(
      /no function "many" in .*\n.*\n +fix: it is a marker: u:marked:many/,
    );
    expect((await runCli(["trace", "--help"])).stdout).toMatch(/u:\[LIB\]:\[PROVIDER:\]MARKER[^]*'u:libstdc/);
    expect((await runCli(["trace", "u::tck", "--", marked])).stderr).toMatch(/no hit: did you mean "tick"\?/);
    expect(await fails(`${marked}:tick`)).toMatch(/fix: it is a marker: u:marked:alpha:tick/);
    expect(await fails(`u:${marked}`)).toMatch(
      /which marker of marked\?[^]*fix: write u:marked:MARKER; list them/,
    );
    expect(await fails(`u:${marked}:many`, '"%d", arg1')).toMatch(
      /a format without a probe in front of it\n[^]*\n +fix: put both into the same quotes: 'LIBRARY:FUNCTION "%d", arg1'\n$/,
    );
  });

  test("markers at all", async () => {
    expect(await fails(`u:${compile("victim.c", ["-O2", "-g"])}:tick`)).toMatch(
      /fix: this file has no markers: a library that the program loads may have them/,
    );
  });

  test("a hit: who maps the file, and that nothing passed it", async () => {
    await using program = await startMarked();
    const { stderr } = await runCli(["trace", "-d", "0.3", "-p", program.pid, `u:${marked}:many`]);
    expect(stderr).toMatch(/no hit: the process maps .*, but nothing passed it while it was traced/);
  });
});

describe.runIf(onX86())("nops of five bytes", () => {
  const nops = compile("marker-nops.c");
  const trace = async (marker: string, ...options: readonly string[]) =>
    runCli(["trace", ...options, `u:${nops}:${marker} "%ld", arg1`, "--", nops]);
  const sum = "3000";

  // Why the value: it is found by the instruction pointer, which the kernel sets otherwise where the nop has become a call.
  test.each([
    ["calls", "where a function calls"],
    ["begins", "where a function begins"],
    ["pair", "as the second of a pair, whose first is probed"],
  ])("%s: %s", async (marker) => {
    const { stdout, stderr } = await trace(marker);
    const messages = messagesOf(stdout).filter((line) => line !== "");
    expect(stdout).toMatch(new RegExp(`^${sum}$`, "m"));
    expect(new Set(messages)).toEqual(new Set(["77"]));
    expect(messages.length).toBe(marker === "begins" ? 200 : 100);
    expect(stderr).toMatch(/armed 1 place/);
  });

  test("are left alone in a leaf", async () => {
    const { stderr, status } = await trace("leaf");
    expect(status).toBe(1);
    expect(stderr).toMatch(/nops:leaf cannot be probed: this kernel makes the 5-byte nop there a call/);
    expect(stderr).toMatch(/--force nop5/);
    const all = await trace("*");
    expect(all.stderr).toMatch(/armed 4 places .*; 1 place skipped\n +skipped nops:leaf/);
    expect(all.stdout).toMatch(new RegExp(`^${sum}$`, "m"));
  });

  test("are armed there by force", async () => {
    expect((await trace("leaf", "--force", "nop5")).stderr).toMatch(/armed 1 place/);
  });
});

describe.runIf(onX86())("nops of five bytes in leaf functions that seem to be none", () => {
  test.each([["-O2"], ["-s"], ["-fno-omit-frame-pointer"]])("are left alone (%s)", async (flag) => {
    const leaves = compile("marker-leaves.c", ["-O2", flag]);
    const { stdout, stderr } = await runCli(["trace", `u:${leaves}:leaves:*`, "--", leaves]);
    expect(stdout).toMatch(/^wrong 0$/m);
    expect(stderr).toMatch(/armed 2 places .*; 3 places skipped/);
    const skipped = [...stderr.matchAll(/skipped leaves:(\w+): this kernel makes/g)].map(([, name]) => name);
    expect(skipped.sort()).toEqual(["asks", "framed", "piece"]);
    expect(eventsOf(stdout).filter((event) => event === "leaves:calls").length).toBe(100);
  });
});

describe.runIf(onX86())("notes that are wrong", () => {
  const broken = compile("marker-broken.c");
  const trace = async (marker: string) =>
    runCli(["trace", "-v", `u:${broken}:broken:${marker}`, "--", broken]);

  test("a place that is no code, or a breakpoint, is left out", async () => {
    const { stderr } = await trace("place");
    expect(stderr).toMatch(/armed 1 place in 1 file.*; 3 places skipped/);
    expect(stderr.match(/skipped broken:place: the file has no code at its address/g)?.length).toBe(4);
    expect(stderr).toMatch(/skipped broken:place: a breakpoint \(int3\) stands there already/);
  });

  test("so is one whose semaphore nobody can raise", async () => {
    const { status, stderr } = await trace("unraised");
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /broken:unraised cannot be probed: its semaphore \(0x[0-9a-f]+\) lies in read-only memory \(and 3 more/,
    );
    const { stderr: all } = await trace("*");
    for (const reason of [
      "outside of what the program loads",
      "has no bytes in the file",
      "has an odd address",
    ])
      expect(all).toMatch(reason);
  });

  test("another instruction than a nop is probed where one is proved to begin", async () => {
    expect((await trace("instruction")).stderr).toMatch(/armed 1 place[^]*1 event shown/);
    const { status, stderr } = await trace("middle");
    expect(status).toBe(1);
    expect(stderr).toMatch(/no nop stands there, and offset 0x[0-9a-f]+ is in the middle of an instruction/);
  });

  test("a nop within another instruction is none", async () => {
    const { status, stderr } = await trace("within");
    expect(status).toBe(1);
    expect(stderr).toMatch(/broken:within cannot be probed: offset 0x[0-9a-f]+ is in the middle/);
  });

  test("of those about one place the one with a semaphore is armed, and what differs from it is named", async () => {
    const { stdout, stderr } = await trace("*guarded");
    expect(eventsOf(stdout)).toEqual(["broken:guarded arg1=8"]);
    expect(stderr).toMatch(/armed 1 place .*; 2 places skipped/);
    expect(stderr).toMatch(
      "skipped broken:unguarded: it stands at the place of broken:guarded, with other arguments",
    );
    expect(stderr).toMatch(
      "skipped broken:other_guarded: it stands at the place of broken:guarded, with another semaphore",
    );
  });
});

const bpftrace = (pid: string, probe: string) => ({
  words: ["bpftrace", "-B", "line", "-p", pid, "-e", `usdt:${probe} { printf("hit\\n"); }`],
  hit: /^hit$/gm,
});

describe.runIf(requires("bpftrace", "trace-bpfcc"))("beside others, on the same run", () => {
  const rounds = 50;

  /** Runs peers and uscope on one process, has it pass its markers, and returns how many hits each has told of. */
  async function hitsOf(
    program: Conversation,
    probe: string,
    peers: readonly { readonly words: readonly string[]; readonly hit: RegExp }[],
  ): Promise<number[]> {
    const started = peers.map(({ words: [command, ...words], hit }) => {
      const child = spawn(command!, words, { env: { ...process.env, PYTHONUNBUFFERED: "1" } });
      let seen = "";
      child.stdout.on("data", (piece: Buffer) => (seen += piece.toString()));
      return { child, hits: () => seen.match(hit)?.length ?? 0 };
    });
    try {
      await using cli = startCli(["trace", "-p", String(program.child.pid), probe]);
      await cli.until("stderr", /armed \d/);
      const counts = (): number[] => [eventsOf(cli.stdout).length, ...started.map(({ hits }) => hits())];
      // Why hits to find out: none of them says when it is ready.
      const areReady = async (): Promise<boolean> => {
        program.say("1");
        await program.line();
        return counts().every((count) => count > 0);
      };
      await expect.poll(areReady, { timeout: 20_000 }).toBe(true);
      await setTimeout(500);
      const before = counts();
      program.say(String(rounds));
      await program.line();
      const after = (): number[] => counts().map((count, index) => count - before[index]!);
      await expect.poll(() => Math.min(...after()), { timeout: 5000 }).toBeGreaterThanOrEqual(rounds);
      await setTimeout(500);
      return after();
    } finally {
      for (const { child } of started) child.kill("SIGINT");
    }
  }

  /** BCC compiles its programs on the machine; its package brings no headers. */
  const headers = `/lib/modules/${release()}/build`;
  const isBccAble = fits(existsSync(headers) ? undefined : `BCC finds no headers of this kernel: ${headers}`);

  // Why two copies: BCC 0.26 asks the kernel for a semaphore at byte 6 of the file, and where it stands nobody else may, who asks for another.
  test("all see the same number of hits", async () => {
    const [own, other] = [library(7), library(8, "desk")];
    await using program = await startLoads(own, other);
    const pid = String(program.child.pid);
    const bcc = {
      words: ["trace-bpfcc", "-p", pid, `u:${other}:desk:taken "%d", arg1`],
      hit: /desk:taken +\d+$/gm,
    };
    const hits = await hitsOf(program, `u:${own}:taken "%d", arg1`, [
      bpftrace(pid, `${own}:shelf:taken`),
      ...(isBccAble ? [bcc] : []),
    ]);
    expect(hits).toEqual(Array.from({ length: isBccAble ? 3 : 2 }, () => rounds));
  }, 60_000);

  // Why not BCC: see above.
  test("so it is where a semaphore is raised by both", async () => {
    await using program = await startMarked();
    const peer = bpftrace(program.pid, `${marked}:alpha:tick`);
    expect(await hitsOf(program, `u:${marked}:alpha:tick "%d", arg2`, [peer])).toEqual([
      3 * rounds,
      3 * rounds,
    ]);
  }, 60_000);
});
