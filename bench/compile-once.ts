/**
 * Owns compiling one probe function of 30 lines in a process that has done nothing else, and saying how long it took. It is a
 * bundle of its own beside a copy of the package's loader, so that code reaches V8 as the package's does (scripts/bench.mjs).
 * Does not own running it often enough (functions.ts).
 */
import { compileProbe } from "../src/lang/compile.js";
import type { HandedOver } from "../src/lang/script/handed-over.js";
import type { EntryParameter } from "../src/lang/script/parameter.js";
import { counter, histogram } from "../src/index.js";
import type { Counter, Histogram } from "../src/index.js";
import { u64 } from "../src/lang/types.js";
import type { Target } from "../src/lang/target.js";

/** What it prints, in milliseconds. */
export interface CompiledOnce {
  /** Loading what reads probe functions, acorn among it. */
  readonly loading: number;
  readonly compiling: number;
}

/** Prints a CompiledOnce. */
async function compileOnce(): Promise<void> {
  const begin = performance.now();
  const { parseScript } = await import("../src/lang/script/parse.js");
  const loaded = performance.now();
  const parsed = parseScript({
    source: probe.toString(),
    at: "entry",
    selector: {
      kind: "function",
      at: "entry",
      library: "redis-server",
      symbol: "call",
      offset: 0,
      span: { start: 0, end: 0 },
    },
    handed,
  });
  const compiled = compileProbe(parsed, target, {
    textLimit: 80,
    columns: { cpu: false, comm: false, uid: false },
    stacks: { user: 0, kernel: 0 },
    filter: { pids: [1] },
    sleepable: true,
    firstProbe: 0,
    ring: { wakeBytes: 1 << 20 },
    aggregates: [
      { map: "calls", spec: calls.spec, number: 0 },
      { map: "sizes", spec: sizes.spec, number: 1 },
    ],
  });
  const took: CompiledOnce = { loading: loaded - begin, compiling: performance.now() - loaded };
  if (compiled.programs.length !== 1) throw new Error("no program");
  process.stdout.write(JSON.stringify(took));
}

interface Handed {
  readonly calls: Counter<{ command: string; pid: number }>;
  readonly sizes: Histogram;
  readonly least: number;
  readonly most: number;
}

const calls = counter({ key: { command: "text", pid: "u32" } });
const sizes = histogram();

/** Thirty lines with a bit of everything. */
const probe = (p: EntryParameter, { calls, sizes, least, most }: Handed) => {
  const size = p.u32(1);
  if (size < least) return;
  if (size > most && p.uid === 0) return;
  const name = p.text(p.arg(0), { length: p.arg(2), limit: 40 });
  if (name === "PING" || name === "INFO") {
    return;
  }
  let flags = 0;
  for (let bit = 0; bit < 4; bit++) {
    if (p.read(p.arg(3) + p.cast(bit, "u64"), "u8") > 0) flags |= 1 << bit;
  }
  let kind = 0;
  if (flags === 3) {
    kind = 1;
  } else if ((flags & 4) !== 0) {
    kind = size > 1000 ? 2 : 3;
  }
  sizes.add(size);
  calls.add({ command: name, pid: p.pid });
  return {
    time: p.time,
    who: { pid: p.pid, tid: p.tid, comm: p.comm },
    name,
    size,
    flags,
    kind: p.enum(kind, { 0: "none", 1: "read", 2: "large", 3: "write" }),
    first: p.read(p.arg(3), "i64"),
  };
};

const handed: HandedOver = new Map([
  ["calls", { kind: "aggregate", index: 0, spec: calls.spec, key: calls.form, class: "bigint" }],
  ["sizes", { kind: "aggregate", index: 1, spec: sizes.spec, key: sizes.form, class: "bigint" }],
  ["least", { kind: "constant", value: 1 }],
  ["most", { kind: "constant", value: 100_000 }],
] as const);

const registers = ["di", "si", "dx", "cx", "r8", "r9"];
const target: Target = {
  resolve: () => ({
    architecture: "x86-64",
    layouts: [
      {
        arguments: registers.map((register) => ({ kind: "register", register, type: u64 })),
        returned: undefined,
        returnAddress: undefined,
        missing: undefined,
      },
    ],
  }),
};

void compileOnce();
