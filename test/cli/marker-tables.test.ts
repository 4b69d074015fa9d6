/** `uscope count`, `uscope args` and scripts on markers whose passes and values are known, and beside bpftrace on the same run. */
import { spawn } from "node:child_process";
import { closeSync, copyFileSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runCli, startCli } from "../support/cli.js";
import { converse, requires } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const folder = mkdtempSync(join(tmpdir(), "uscope-marker-tables-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const shop = compile("shop.c");
const marked = compile("marked.c");

/** The rows of a table by what they count. */
function countsOf(table: string): Record<string, number> {
  const rows = [...table.matchAll(/^(\S.*?) +(\d+)$/gm)];
  return Object.fromEntries(rows.map(([, name, count]) => [name!, Number(count)]));
}

/** What stands below the heading of each block, by the heading. */
function blocksOf(stdout: string): Record<string, string[]> {
  const blocks: Record<string, string[]> = {};
  let rows: string[] = [];
  for (const line of stdout.trimEnd().split("\n")) {
    if (/^\[\d\d:\d\d:\d\d\]$|^\tCOUNT/.test(line)) continue;
    if (line.startsWith("u:")) blocks[line] = rows = [];
    else rows.push(line.trim().replaceAll(/ +/g, " "));
  }
  return blocks;
}

describe("uscope count", () => {
  test("has a row for each marker of a pattern, however many places it has", async () => {
    const { stdout, stderr, status } = await runCli(["count", `u:${shop}:*`, "--", shop, "20"]);
    expect(countsOf(stdout)).toEqual({
      "shop:opened": 1,
      "shop:closed": 1,
      "shop:sale": 20,
      "shop:flags": 20,
      "store:sale": 20,
      "shop:step": 40,
      total: 102,
    });
    expect(stdout.match(/shop:step/g)).toHaveLength(1);
    expect(stderr).toMatch(/armed 7 places in 1 file/);
    expect(status).toBe(0);
  });

  test("names files only where markers of several are counted, and functions beside them", async () => {
    const same = [`u:${shop}:sale`, `u:${shop}:shop:s*`, `${shop}:main`, "--", shop, "3"];
    const { stdout } = await runCli(["count", ...same]);
    expect(countsOf(stdout)).toEqual({ main: 1, "shop:sale": 3, "store:sale": 3, "shop:step": 6, total: 13 });
    const own = join(folder, "own-marked");
    copyFileSync(marked, own);
    const several = await runCli([
      "count",
      `u:${shop}:sale`,
      `u:${own}:beta:*`,
      "u::shop:opened",
      "--",
      shop,
      "3",
    ]);
    const file = shop.split("/").at(-1)!;
    expect(countsOf(several.stdout)).toEqual({
      "shop:opened": 1,
      [`${file}:shop:sale`]: 3,
      [`${file}:store:sale`]: 3,
      total: 7,
    });
  });

  test("says in JSON what was counted", async () => {
    const { stdout } = await runCli(["count", "--json", `u:${shop}:shop:step`, "--", shop, "3"]);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { function: "shop:step", count: 6, pattern: `u:${shop}:shop:step` },
      { total: 6, functions: 1 },
    ]);
  });
});

describe("uscope args", () => {
  test("counts tuples of a marker's arguments, and sorts them into histograms", async () => {
    const step = `u:${shop}:shop:step():i64:arg1:arg1 < 0`;
    const all = `u:${shop}:*:sale()`;
    const flags = `u:${shop}:flags():u32:arg1`;
    const words = ["args", "-i", "100", "-C", step, "-C", all, "-H", flags, "--", shop, "4"];
    const { stdout, status } = await runCli(words);
    const blocks = blocksOf(stdout);
    expect(blocks[step]).toEqual(["1 arg1 = -1", "1 arg1 = -2", "1 arg1 = -3"]);
    expect(blocks[all]).toEqual(["8 total calls"]);
    expect(blocks[flags]!.at(-1)).toBe("average 384 total 1536 count 4");
    expect(status).toBe(0);
  });

  test("reads texts behind them", async () => {
    const sale = `u:${shop}:shop:sale():char*,bool,int:arg3,arg6,arg2`;
    const { stdout } = await runCli(["args", "-i", "100", sale, "--", shop, "4"]);
    expect(blocksOf(stdout)[sale]).toEqual([
      "1 arg3 = a customer, arg6 = 0, arg2 = 4",
      "1 arg3 = a customer, arg6 = 0, arg2 = 5",
      "1 arg3 = a customer, arg6 = 1, arg2 = 4",
      "1 arg3 = a customer, arg6 = 1, arg2 = 5",
    ]);
  });

  test.each([
    [`u:${shop}:flags:u32:arg1`, /\(\) is expected behind the marker's name/],
    [`u:${shop}:flags(int mask):u32:mask`, /a marker's arguments have types of their own/],
    [`u:${shop}:flags():u32:arg3`, /arg3 is not known here: there are 2 arguments/],
    [`u:${shop}:flags():u64:$latency`, /\$latency belongs to a return[^]*uscope latency/],
    [`u:${shop}:falgs()`, /no marker "falgs"[^]*did you mean "flags"/],
  ])("%s is refused with a way out", async (spec, message) => {
    const { stderr, status } = await runCli(["args", spec, "--", shop]);
    expect(stderr).toMatch(message);
    expect(status).toBe(1);
  });
});

describe("uscope stacks", () => {
  test("shows a marker in front of the function that holds it", async () => {
    const framed = compile("shop.c", ["-O0", "-fno-omit-frame-pointer"]);
    const { stdout } = await runCli(["stacks", "-f", `u:${framed}:*:s*`, "--", framed, "5"]);
    // Why cut: the C library, which calls main, is built without frame pointers, and may show any frame.
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((row) => row.replace(/^.*;(?=main;)/, ""));
    expect(rows.sort()).toEqual([
      "main;narrow;shop:step 5",
      "main;sell;shop:sale 5",
      "main;store:sale 5",
      "main;wide;shop:step 5",
    ]);
  });
});

test("a script has the arguments of markers by name, with their types", async () => {
  const script = join(folder, "sales.ts");
  writeFileSync(
    script,
    `import { observe, usdt } from "uscope";
const sales = usdt(${JSON.stringify(`${shop}:shop:sale`)}, (p) => ({ name: p.args.name, discount: p.args.discount }), {
  args: { name: { text: "length" }, length: "i32", customer: "text", price: "u64", discount: "i16", isNew: "bool", at: "address", ratio: "skip" },
});
for await (const { name, discount } of observe(sales, { command: process.argv.slice(2) })) console.log(name.toUpperCase(), discount - 1);
`,
  );
  const { stdout, status } = await runCli(["run", script, shop, "2"]);
  expect(stdout).toBe("APPLE -1\nPEAR -2\n");
  expect(status).toBe(0);
});

describe("servers and interpreters", () => {
  test.runIf(requires("/usr/bin/python3.11"))("Python's collections, by generation", async () => {
    const python = join(folder, "python");
    copyFileSync("/usr/bin/python3.11", python);
    const program = "import gc\ngc.disable()\nfor i in range(3): gc.collect(i)";
    const spec = `u:${python}:gc__start():int:generation`;
    const words = [
      "args",
      "-i",
      "100",
      spec,
      `u:${python}:gc__done()`,
      "--",
      python,
      "-I",
      "-S",
      "-c",
      program,
    ];
    const { stdout } = await runCli(words);
    const blocks = blocksOf(stdout);
    const rows = blocks[spec]!.map((row) => row.replace(/^\d+ /, ""));
    // Why not their counts: the interpreter collects when it starts and ends, too.
    expect(rows.sort()).toEqual(["generation = 0", "generation = 1", "generation = 2"]);
    const started = blocks[spec]!.reduce((sum, row) => sum + Number.parseInt(row, 10), 0);
    expect(blocks[`u:${python}:gc__done()`]).toEqual([`${started} total calls`]);
  });

  const java = "/usr/lib/jvm/java-17-openjdk-amd64";
  test.runIf(requires(`${java}/bin/java`))("the classes that Java loads, exactly by name", async () => {
    const script = join(folder, "classes.ts");
    const library = `${java}/lib/server/libjvm.so`;
    writeFileSync(
      script,
      `import { counter, observe, usdt } from "uscope";
const classes = counter({ key: "text(120)" });
const loads = usdt("${library}:hotspot:class__loaded", (p, { classes }) => {
  classes.add(p.args.name);
  return { name: p.args.name, length: p.args.length };
}, { args: { name: { text: "length" }, length: "i32", loader: "address", shared: "bool" }, using: { classes } });
const observation = observe(loads, { command: process.argv.slice(2), bufferPages: 4096 });
let odd = 0;
for await (const { name, length } of observation) if (name.length !== length && length <= 80) odd++;
const rows = await observation.read(classes);
console.log(rows.find(({ key }) => key === "java/lang/Object")?.count, rows.filter(({ key }) => !/^[\\w/$+.]+$/.test(key)).length, odd);
`,
    );
    const { stdout, stderr } = await runCli(["run", script, `${java}/bin/java`, "-version"]);
    expect(stdout, stderr).toMatch(/^1 0 0$/m);
    expect(stderr).toMatch(/, 0 lost$/m);
  });
});

test.runIf(requires("bpftrace"))(
  "bpftrace counts the same values on the same run",
  async () => {
    await using program = converse(marked);
    const semaphore = Number.parseInt((await program.line()).split(" ")[1]!, 16);
    const pid = String(program.child.pid);
    const script = `usdt:${marked}:alpha:tick { @[(int32)arg1] = count(); }`;
    const peer = spawn("bpftrace", ["-p", pid, "-e", script]);
    try {
      let printed = "";
      peer.stdout.on("data", (piece: Buffer) => (printed += piece.toString()));
      const spec = `u:${marked}:alpha:tick():int:arg2`;
      // Why it first: when the semaphore has been raised for all three places, it is armed.
      await expect.poll(() => readCounter(pid, semaphore), { timeout: 20_000 }).toBe(3);
      await using cli = startCli(["args", "-p", pid, "-i", "100", spec]);
      await cli.until("stderr", /armed 3 places/);
      program.say("40");
      await program.line();
      peer.kill("SIGINT");
      const rows = /^@\[(\d+)\]: (\d+)$/gm;
      await expect.poll(() => printed.match(rows)?.length, { timeout: 10_000 }).toBe(3);
      cli.signal("SIGINT");
      const { stdout } = await cli.ended;
      const theirs = [...printed.matchAll(rows)].map(([, value, count]) => `${count} arg2 = ${value}`).sort();
      expect(theirs).toEqual(["40 arg2 = 1", "40 arg2 = 2", "40 arg2 = 3"]);
      expect(blocksOf(stdout)[spec]!.sort()).toEqual(theirs);
    } finally {
      peer.kill("SIGKILL");
    }
  },
  60_000,
);

function readCounter(pid: string, address: number): number {
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const bytes = Buffer.alloc(2);
  readSync(memory, bytes, 0, 2, address);
  closeSync(memory);
  return bytes.readUInt16LE();
}
