/** `uscope list` of markers: beside readelf -n and BCC's tplist on real programs, on programs of our own, on damaged files; and docs/list.md. */
import { execFileSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runCli, startCli } from "../support/cli.js";
import { executablePath, jvmLibraries, libraryPath } from "../support/elf.js";
import { converse, needs, onX86, requires } from "../support/kernel.js";
import { compile } from "../support/programs.js";
import { asLike, openSamples } from "../support/samples.js";
import { join as joinBytes, markerFileBytes, noteBytes } from "../usdt/marker-file.js";
import { readelfMarkers } from "../usdt/oracle.js";

const folder = mkdtempSync(join(tmpdir(), "uscope-list-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface ListedSite {
  readonly address: string;
  readonly offset: string | null;
  readonly instruction: string;
  readonly cost?: string;
  readonly refused?: string;
  readonly semaphore?: { readonly address: string; readonly value?: number };
  readonly arguments: readonly { readonly raw: string; readonly name?: string; readonly words: string }[];
  readonly raw_arguments: string;
}

interface Listed {
  readonly file: string;
  readonly kind: string;
  readonly provider: string;
  readonly name: string;
  readonly sites: readonly ListedSite[];
}

async function listed(...words: readonly string[]): Promise<readonly Listed[]> {
  const { stdout, stderr, status } = await runCli(["list", "-u", "--json", ...words]);
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  return linesOf(stdout).map((line) => JSON.parse(line) as Listed);
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** Lines as test/usdt/oracle.ts has them. */
const oracleLines = (markers: readonly Listed[]): string[] =>
  markers.flatMap(({ provider, name, sites }) =>
    sites.map(({ address, semaphore, raw_arguments }) =>
      [provider, name, address.slice(2), semaphore?.address.slice(2) ?? "0", raw_arguments].join(" | "),
    ),
  );

const own = "a program of our own";

const programs: readonly (readonly [name: string, isHere: boolean, paths: () => readonly string[]])[] = [
  ["python", requires("/usr/bin/python3.11"), () => ["/usr/bin/python3.11"]],
  ["php", requires("php"), () => [executablePath("php")]],
  ["ruby", requires("ruby"), () => [libraryPath(/^libruby-[\d.]+\.so/)]],
  [
    "postgres",
    requires("/usr/lib/postgresql/15/bin/postgres"),
    () => ["/usr/lib/postgresql/15/bin/postgres"],
  ],
  ["every JVM", requires("java"), () => jvmLibraries()],
  ["libstdc++", true, () => [libraryPath("libstdc++.so.6")]],
  [own, true, () => [compile("markers.c")]],
];

describe.each(programs.filter(([, isHere]) => isHere))("%s", (name, _, paths) => {
  test("has the names, addresses, semaphores and arguments that readelf -n shows", async () => {
    for (const path of paths()) {
      const expected = readelfMarkers(path);
      expect(expected.length).toBeGreaterThan(2);
      const markers = await listed(path);
      expect(oracleLines(markers).toSorted()).toEqual(expected.toSorted());
      const names = [...new Set(expected.map((line) => line.split(" | ", 2).join(":")))];
      const { stdout } = await runCli(["list", "-u", path]);
      expect(linesOf(stdout)).toEqual(names);
      const bytes = readFileSync(path);
      const nops = markers.flatMap(({ sites }) => sites.filter(({ instruction }) => instruction === "nop"));
      expect(nops.length).toBeGreaterThan(0);
      if (process.arch === "x64")
        for (const { offset } of nops) expect(bytes[Number.parseInt(offset!, 16)]).toBe(0x90);
    }
  });

  // Why not ours: tplist leaves out the arguments that it cannot parse.
  if (name === own) return;
  test.runIf(requires("tplist-bpfcc"))("has what BCC's tplist shows", async () => {
    for (const path of paths()) {
      const text = execFileSync("tplist-bpfcc", ["-l", path, "-v"], { encoding: "utf8" });
      const expected = [
        ...text.matchAll(
          /^(\S+) \[sema 0x([0-9a-f]+)\]\n {2}(\d+) location\(s\)\n {2}(\d+) argument\(s\)$/gm,
        ),
      ].map(([, name, ...numbers]) => [name, ...numbers].join(" "));
      expect(expected.length).toBeGreaterThan(2);
      const shown = (await listed(path)).map(({ provider, name, sites: [site, ...more] }) =>
        [
          `${provider}:${name}`,
          site!.semaphore?.address.slice(2) ?? "0",
          1 + more.length,
          site!.arguments.length,
        ].join(" "),
      );
      expect(shown.toSorted()).toEqual(expected.toSorted());
    }
  });
});

const isMarker = (row: string): boolean => row.slice(33, 41) === "marker  ";

test("markers stand behind the functions, a row for each place; the rows of functions stay as they are", async () => {
  const marked = compile("marked.c");
  const { stdout } = await runCli(["list", marked]);
  const [header, ...rows] = linesOf(stdout);
  expect(header).toMatch(/^ADDRESS {14}SIZE BIND {3}KIND {5}NAME$/);
  const count = rows.findIndex(isMarker);
  expect(rows.slice(count).every(isMarker)).toBe(true);
  expect(
    rows.slice(count).map((row) => [row.slice(0, 16).replace(/^0+/, ""), row.slice(42)].join(" ")),
  ).toEqual(
    (await listed(marked)).flatMap(({ provider, name, sites }) =>
      sites.map(({ address }) => `${address.slice(2)} ${provider}:${name}`),
    ),
  );
  const plain = await runCli(["list", marked, "main", "tick"]);
  expect(
    linesOf(plain.stdout)
      .slice(1)
      .map((row) => row.slice(33).replaceAll(/ +/g, " ")),
  ).toEqual([
    ...rows
      .slice(0, count)
      .flatMap((row) => (row.endsWith(" main") ? [row.slice(33).replaceAll(/ +/g, " ")] : [])),
    ...["alpha", "alpha", "alpha", "beta"].map((provider) => `marker ${provider}:tick`),
  ]);
  const json = linesOf((await runCli(["list", "--json", marked])).stdout).map(
    (line) => JSON.parse(line) as Listed,
  );
  expect(json.filter(({ kind }) => kind !== "marker")).toHaveLength(count);
  expect(json.slice(count).map(({ provider, name }) => `${provider}:${name}`)).toEqual([
    ...new Set(rows.slice(count).map((row) => row.slice(42))),
  ]);
});

test.each([
  [["tick"], ["alpha:tick", "beta:tick"]],
  [["beta:*"], ["beta:tick"]],
  [["*t*:tick"], ["beta:tick"]],
  [["a*"], ["alpha:tick", "alpha:double__name", "alpha:step", "alpha:many"]],
  [["double-name"], ["alpha:double__name"]],
  [
    ["alpha:d*-n*", "step"],
    ["alpha:double__name", "alpha:step"],
  ],
])("patterns %j", async (patterns, expected) => {
  const { stdout } = await runCli(["list", "-u", compile("marked.c"), ...patterns]);
  expect(linesOf(stdout)).toEqual(expected);
});

/** The lines behind the first one of a marker, without addresses. */
async function wordsOf(path: string, pattern: string): Promise<string[]> {
  const { stdout, status } = await runCli(["list", "-uv", path, pattern]);
  expect(status).toBe(0);
  return linesOf(stdout)
    .slice(1)
    .map((line) =>
      line
        .trim()
        .replaceAll(/0x[0-9a-f]+/g, "0xN")
        .replace(/\d+ ns/, "N ns"),
    );
}

const nopLine = "at 0xN (file offset 0xN): nop; about N ns a hit (emulated)";

describe.runIf(onX86())("-v says in words", () => {
  const forms = compile("marker-forms.c");

  test("where arguments lie", async () => {
    expect(await wordsOf(forms, "parts")).toEqual([
      nopLine,
      "arg1: 1 byte in register al (1@%al)",
      "arg2: signed 1 byte in register al (-1@%al)",
      "arg3: 1 byte in register ah (1@%ah)",
      "arg4: signed 1 byte in register ah (-1@%ah)",
      "arg5: 2 bytes in register ax (2@%ax)",
      "arg6: signed 2 bytes in register ax (-2@%ax)",
      "arg7: 4 bytes in register eax (4@%eax)",
      "arg8: signed 4 bytes in register eax (-4@%eax)",
      "arg9: 8 bytes in register rax (8@%rax)",
      "arg10: signed 8 bytes in register rax (-8@%rax)",
    ]);
    expect((await wordsOf(forms, "numbered")).slice(1)).toEqual(
      expect.arrayContaining([
        "arg1: 1 byte in register r10b (1@%r10b)",
        "arg3: 2 bytes in register r10w (2@%r10w)",
        "arg6: signed 4 bytes in register r10d (-4@%r10d)",
        "arg7: 8 bytes in register r10 (8@%r10)",
        "arg9: 1 byte in register sil (1@%sil)",
      ]),
    );
    expect((await wordsOf(forms, "addresses")).slice(1)).toEqual(
      expect.arrayContaining([
        "arg1: 8 bytes at rbx (8@(%rbx))",
        "arg3: signed 4 bytes at rbx+4 (-4@4(%rbx))",
        "arg9: 8 bytes at rbx+rcx*8-8 (8@-8(%rbx,%rcx,8))",
        "arg10: 2 bytes at rbx+rcx (2@(%rbx,%rcx))",
        "arg12: 8 bytes at r11*8+24 (8@24(,%r11,8))",
      ]),
    );
    expect((await wordsOf(forms, "symbols")).slice(1)).toEqual(
      expect.arrayContaining([
        "arg2: signed 8 bytes at 0xN, in the file's own data (-8@table+8(%rip))",
        "arg8: constant -5 (-4@$-5)",
      ]),
    );
  });

  test("what cannot be read, and why", async () => {
    expect((await wordsOf(forms, "vectors")).slice(2, 5)).toEqual([
      "arg2: unreadable: it lies in the floating-point register xmm0 (8f@%xmm0)",
      "arg3: unreadable: it lies in the floating-point register xmm1 (4f@%xmm1)",
      "arg4: unreadable: a floating-point number of 8 bytes in register rax (8f@%rax)",
    ]);
    expect((await wordsOf(forms, "odd"))[2]).toMatch(/^arg2: unreadable: .* \(4@&what\?\)$/);
  });

  test.runIf(requires("/usr/bin/python3.11"))(
    "what arguments mean, of providers that are known",
    async () => {
      const lines = await wordsOf("/usr/bin/python3.11", "python:function-entry");
      expect(lines[1]).toBe("semaphore at 0xN (file offset 0xN): off until watched");
      expect(lines[2]).toMatch(/^arg1 file: 8 bytes .*, the address of a text \(8@.*\)$/);
      expect(lines[4]).toMatch(/^arg3 line: signed 4 bytes .* \(-4@.*\)$/);
    },
  );

  test.runIf(requires("java"))("which argument is the length of a text", async () => {
    const lines = await wordsOf(jvmLibraries()[0]!, "class__loaded");
    expect(lines[1]).toMatch(/^arg1 name: 8 bytes .*, the address of a text of arg2 bytes \(8@/);
    expect(lines[2]).toMatch(/^arg2 name_length: signed 4 bytes .*, the bytes of arg1 \(-4@/);
    expect(lines[4]).toMatch(/^arg4 shared: 1 byte .*, true or false \(1@/);
  });

  test("which instruction is probed, and which is not", async () => {
    const [leaf, pair, begins, , main] = await listed(compile("marker-nops.c"));
    const shown = [leaf, pair, begins, main].map((marker) => marker!.sites[0]!.instruction);
    expect(shown).toEqual(["nop5", "nop (the nop5 behind it stays as it is)", "nop5", "nop"]);
    expect(pair!.sites[0]).toMatchObject({ cost: "emulated" });
    // Kernel: before 6.18 a nop of five bytes is emulated as any nop, wherever it stands.
    if (leaf!.sites[0]!.refused !== undefined) {
      expect(leaf!.sites[0]!.refused).toMatch(/keeps below its stack pointer/);
      expect(begins!.sites[0]).toMatchObject({ cost: "nop5" });
    }
  });

  test("which places are refused, and why", async () => {
    const broken = await listed(compile("marker-broken.c"));
    const refusals = broken.flatMap(({ name, sites }) =>
      sites.flatMap(({ refused }) =>
        refused === undefined ? [] : [`${name}: ${refused.replaceAll(/0x[0-9a-f]+/g, "0xN")}`],
      ),
    );
    expect(refusals).toEqual([
      "place: the file has no code at its address",
      "place: the file has no code at its address",
      expect.stringMatching(/^place: a breakpoint \(int3\) stands there already/),
      "unraised: its semaphore (0xN) lies in read-only memory",
      "unraised: its semaphore (0xN) lies outside of what the program loads",
      "unraised: its semaphore (0xN) has no bytes in the file",
      "unraised: its semaphore (0xN) has an odd address",
      expect.stringMatching(
        /^middle: no nop stands there, and offset 0xN is in the middle of an instruction/,
      ),
      expect.stringMatching(/^within: offset 0xN is in the middle of an instruction/),
    ]);
    const stepped = broken.find(({ name }) => name === "instruction")!.sites[0]!;
    expect([stepped.instruction, stepped.cost]).toEqual(["48 b8 90 90 90 90 90 90 90 90, no nop", "stepped"]);
    expect(await wordsOf(compile("marker-broken.c"), "middle")).toEqual([
      expect.stringMatching(
        /^at .*: 01 cc, no nop; cannot be armed: no nop stands there, and .*; the nearest instructions/,
      ),
      "arg1: constant 7 (-4@$7)",
    ]);
  });
});

describe("with a process", () => {
  const marked = compile("marked.c");

  test.runIf(needs("ring buffer"))("semaphores have their values there", async () => {
    await using program = converse(marked);
    const [, ...addresses] = (await program.line()).split(" ");
    const pid = String(program.child.pid);
    const valuesOf = async (): Promise<(number | undefined)[]> =>
      (await listed("-p", pid, marked, "alpha:tick", "step")).flatMap(({ sites }) =>
        sites.map(({ semaphore }) => semaphore?.value),
      );
    const read = (): number[] => addresses.map((address) => readCounter(pid, Number.parseInt(address, 16)));
    expect(await valuesOf()).toEqual([0, 0, 0, 0, 0]);
    await using tracer = startCli(["trace", "-p", pid, `u:${marked}:alpha:*`]);
    await tracer.until("stderr", /armed/);
    const [tick, first, second] = read();
    expect([tick, first, second].every((value) => value! > 0)).toBe(true);
    expect(await valuesOf()).toEqual([tick, tick, tick, first, second]);
    const { stdout } = await runCli(["list", "-v", "-p", pid, marked, "alpha:step"]);
    expect(stdout).toMatch(/: [1-9]\d* now: watched\n/);
    tracer.signal("SIGINT");
    await tracer.ended;
    expect(await valuesOf()).toEqual([0, 0, 0, 0, 0]);
  });

  test("all files that it maps are looked at: in memory, and removed from the disk too", async () => {
    const library = (number: number): string => {
      const path = join(folder, `libshelf${number}.so`);
      copyFileSync(
        compile("marked-library.c", ["-O2", "-shared", "-fPIC", `-DVALUE=${number}`, "-DPROVIDER=shelf"]),
        path,
      );
      return path;
    };
    await using program = converse(compile("loads-marked.c"), [
      library(1),
      `memfd:${library(2)}`,
      `gone:${library(3)}`,
    ]);
    expect(await program.line()).toBe("ready");
    const pid = String(program.child.pid);
    const { stdout, stderr, status } = await runCli(["list", "-u", "-p", pid, "shelf:*"]);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^note: .*libshelf3\.so was deleted or replaced since.*\n$/);
    const rows = linesOf(stdout).filter((line) => line.startsWith("shelf:taken "));
    expect(rows.map((row) => row.replace(/^\S+ +/, ""))).toEqual(
      expect.arrayContaining([join(folder, "libshelf1.so"), "/memfd:shelf", join(folder, "libshelf3.so")]),
    );
    expect(rows).toHaveLength(3);
    const inMemory = await runCli(["list", "-uv", "-p", pid, "memfd:shelf", "taken"]);
    expect(inMemory.stdout).toMatch(/^shelf:taken\n {2}at 0x/);
    const files = await runCli(["list", "-p", pid]);
    expect(files.stdout).toMatch(/^FUNCTIONS MARKERS BUILD-ID +FILE\n/);
    expect(files.stdout).toMatch(/^ +\d+ +1 [0-9a-f]{40} .*\/libshelf3\.so \(deleted\)$/m);
  });
});

test.runIf(requires("/usr/bin/python3.11"))(
  "what a process maps executable, and is no program, is passed over",
  async () => {
    const text = join(folder, "text");
    writeFileSync(text, "no program at all".repeat(300));
    const script = `import mmap, os; held = mmap.mmap(os.open("${text}", os.O_RDONLY), 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_EXEC); print("ready", flush=True); input()`;
    await using program = converse("/usr/bin/python3.11", ["-c", script]);
    expect(await program.line()).toBe("ready");
    const pid = String(program.child.pid);
    for (const words of [
      ["-u", "-p", pid, "python:*"],
      ["-p", pid],
    ]) {
      const { stdout, stderr, status } = await runCli(["list", ...words]);
      expect([status, stderr]).toEqual([0, `note: ${text} was left out: this is not an ELF file\n`]);
      expect(stdout).toContain("/usr/bin/python3.11");
    }
  },
);

function readCounter(pid: string, address: number): number {
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const bytes = Buffer.alloc(2);
  readSync(memory, bytes, 0, 2, address);
  closeSync(memory);
  return bytes.readUInt16LE();
}

async function fails(...words: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await runCli(["list", "-u", ...words]);
  expect({ stdout, status }).toEqual({ stdout: "", status: 1 });
  expect(stderr).toMatch(/^uscope: .*\n {2}at: .*\n {2}fix: .*\n$/);
  return stderr;
}

function made(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe("what cannot be listed is said", () => {
  test("no markers, or none of that name", async () => {
    const orders = compile("orders.c");
    expect(await fails(orders)).toMatch(/no markers in .*\n.*\n {2}fix: probe its functions: uscope list /);
    const marked = compile("marked.c");
    expect(await fails(marked, "tik")).toMatch(
      /no marker "tik" in .*\n.*, 5 markers\n {2}fix: did you mean "tick"\? /,
    );
    expect(await fails(marked, "gamma:tick")).toMatch(/another provider: u:.*:alpha:tick or u:.*:beta:tick/);
    expect(await fails(marked, "tick", "zz*")).toMatch(/no marker matches "zz\*"/);
  });

  test("no program, no process", async () => {
    expect(await fails(made("garbage", "no program at all"))).toMatch(/^uscope: /);
    expect(await fails(made("cut", readFileSync(compile("marked.c")).subarray(0, 3000)))).toMatch(
      /^uscope: /,
    );
    expect(await fails("-p", "4194300")).toMatch(/no process 4194300/);
    await using program = converse(compile("marked.c"));
    const pid = String(program.child.pid);
    expect(await fails("-p", pid, "zz*")).toMatch(
      /no marker matches "zz\*"\n {2}at: \d+ files that process \d+ maps, 5 markers/,
    );
    expect(await fails("-p", pid, "no_such")).toMatch(/no marker "no_such"\n {2}at: \d+ files that process/);
    expect(await fails("-p", pid, "libnone.so")).toMatch(/no program or library "libnone.so"/);
    const { stdout } = await runCli(["list", "-u", "-p", pid, "tick", "many"]);
    expect(stdout).toMatch(/^alpha:tick .*\nbeta:tick .*\nalpha:many /);
  });

  test("a stripped program has its markers", async () => {
    const { stdout, status } = await runCli(["list", compile("marked.c", ["-O2", "-s"]), "alpha:many"]);
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/^ADDRESS .*\n[0-9a-f]{16} +- - +marker +alpha:many\n$/),
    ]);
  });

  test("damaged notes are counted and named, the others are listed", async () => {
    const sound = noteBytes({ name: "sound" });
    const odd = Array.from({ length: 12 }, () => noteBytes({ name: "odd", type: 9 }));
    const path = made(
      "damaged",
      markerFileBytes({ notes: joinBytes([...odd, sound, sound.subarray(0, 30)]) }),
    );
    const { stdout, stderr, status } = await runCli(["list", "-u", path]);
    expect([status, stdout]).toEqual([0, "test:sound\n"]);
    const notes = linesOf(stderr);
    expect(notes[0]).toBe(`note: ${path}: 13 damaged marker notes were left out`);
    expect(notes[1]).toMatch(
      /: section 1 \(\.note\.stapsdt\), note at \d+: a note of \d+ \+ \d+ bytes reaches beyond/,
    );
    expect(notes[2]).toMatch(
      /: section 1 \(\.note\.stapsdt\), note at 0: a marker's note of the unknown type 9/,
    );
    expect(notes).toHaveLength(12);
    expect(notes[11]).toBe(`note: ${path}: and 3 more`);
    const none = await runCli(["list", "-u", made("worse", markerFileBytes({ notes: odd[0]! }))]);
    expect([none.status, none.stderr]).toEqual([1, expect.stringMatching(/its one note is damaged/)]);
    const traced = await runCli(["trace", `u:${join(folder, "worse")}:odd`]);
    expect(traced.stderr).toMatch(
      /, 0 markers; .*: a damaged marker note was left out: .* unknown type 9\n +fix: install/,
    );
  });

  test("names that drive a terminal are shown escaped", async () => {
    const path = made(
      "evil",
      markerFileBytes({ notes: noteBytes({ provider: "e\u001b[2Jvil", arguments: "8@%\u001b[2J" }) }),
    );
    for (const words of [["-u"], ["-uv"], ["-u", "--json"]])
      expect((await runCli(["list", ...words, path])).stdout).not.toContain("\u001b");
    expect((await runCli(["list", "-u", path])).stdout).toBe("e\\x1b[2Jvil:mark\n");
  });
});

test("100,000 notes are listed within seconds", async () => {
  const notes = Array.from({ length: 100_000 }, (_, index) =>
    noteBytes({
      name: `n${index % 50_000}`,
      address: 0x1000 + (index % 2000),
      arguments: "8@counter(%rip) -4@-8(%rbp,%rax,8)",
    }),
  );
  const path = join(folder, "many");
  writeFileSync(
    path,
    markerFileBytes({ notes: joinBytes(notes), variables: [{ name: "counter", address: 0x20_0000 }] }),
  );
  for (const words of [["-u"], ["-uv"], ["-u", "--json"]]) {
    const started = performance.now();
    const { stdout } = await runCli(["list", ...words, path]);
    expect(linesOf(stdout).length).toBeGreaterThanOrEqual(50_000);
    expect(performance.now() - started).toBeLessThan(15_000);
  }
});

test.runIf(onX86())("so are 20,000 in one function, none of them a nop", async () => {
  const [source, path] = [join(folder, "crowd.s"), join(folder, "crowd")];
  const note = `.pushsection .note.stapsdt,"","note"\n.balign 4\n.4byte 8,2f-1f,3\n.asciz "stapsdt"\n1: .8byte 990b,0,0\n.asciz "crowd"\n.asciz "one"\n.asciz ""\n2: .balign 4\n.popsection`;
  const body = `.rept 20000\n990: mov %rax, %rax\n${note}\n.endr\nret`;
  writeFileSync(
    source,
    `.globl main\n.type main, @function\nmain:\n${body}\n.size main, .-main\n.section .note.GNU-stack,"",@progbits\n`,
  );
  execFileSync("gcc", ["-o", path, source]);
  const started = performance.now();
  const [{ sites }] = (await listed(path)) as [Listed];
  expect(performance.now() - started).toBeLessThan(15_000);
  expect([
    sites.length,
    sites.every(({ cost, refused }) => cost === "stepped" && refused === undefined),
  ]).toEqual([20_000, true]);
});

describe("docs/list.md", () => {
  using page = openSamples("list.md");
  // Those of a process that was there once are shown as they were.
  const samples = page.samples.filter(({ command }) => !/\b8140\b/.test(command));
  test("has samples", () => expect(samples.length).toBeGreaterThanOrEqual(8));
  test.runIf(requires("/usr/bin/python3.11"))("shows what is printed", () => {
    using files = openSamples("list.md");
    for (const sample of samples) {
      const printed = files.run(sample).replaceAll(/\/[\w/.-]*\/uscope-samples-\w+/g, "/srv/demo");
      expect(asLike(printed, sample)).toBe(sample.output);
    }
  });
});
