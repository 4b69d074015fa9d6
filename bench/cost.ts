/**
 * Owns the first question: what a hit costs the traced program, empty, counting, and sending an event that nobody formats.
 * Does not own the command line's way, formatting included (lines.ts).
 */
import { assert } from "../src/base/assert.js";
import { compileProbe, parse } from "../src/lang/compile.js";
import type { CompileOptions } from "../src/lang/compile.js";
import type { Target } from "../src/lang/target.js";
import { u64 } from "../src/lang/types.js";
import { interleave, medianOf, ratioOf } from "./statistics.js";
import { atMost } from "./table.js";
import type { Row, Section } from "./table.js";
import { callTraced, emptyProgram } from "./traced.js";
import type { Program } from "./traced.js";
import type { Workplace } from "./workplace.js";

const rounds = 15;
const calls = 300_000;

/** Measures site g without a probe and with three programs. */
export async function measureCost(workplace: Workplace): Promise<Section> {
  const traced = (program: Program) => () => callTraced(workplace, program, calls);
  const counting = compile("loop:g", "count only");
  const sending = compile('loop:g "%d", arg1', "send");
  const measured = await interleave(rounds, {
    untraced: () => workplace.call("g", calls),
    empty: traced(emptyProgram),
    count: traced(counting),
    send: traced(sending),
  });
  const row = (name: keyof typeof measured, what: string, limit?: number): Row => {
    const value = ratioOf(measured[name], measured.empty);
    return {
      what,
      measured: `${medianOf(measured[name]).toFixed(name === "untraced" ? 1 : 0)} ns/call`,
      ratio: name === "untraced" ? undefined : { value, of: "empty" },
      bar: limit === undefined ? undefined : atMost(limit, value),
    };
  };
  return {
    title: "Cost of a hit",
    rows: [
      row("untraced", "untraced"),
      row("empty", "empty program"),
      row("count", "count only", 1.15),
      row("send", "send time, pid, comm and one argument, not formatted", 1.4),
    ],
    notes: [
      `loop.c, function g (a five-byte nop), ${calls.toLocaleString("en")} calls; medians of ${rounds} interleaved rounds, ratios within a round; every hit counted, no event lost`,
    ],
  };
}

/** The compiler's own program; without its statements it only counts. */
function compile(text: string, kind: "count only" | "send"): Program {
  const parsed = parse(text);
  const tree = kind === "send" ? parsed.tree : { ...parsed.tree, body: [] };
  const { programs, maps } = compileProbe({ ...parsed, tree }, firstArgument, usualOptions);
  assert(programs[0] !== undefined, "a program");
  return { spec: programs[0], maps };
}

/** What `uscope trace 'loop:g ...'` asks for. */
const usualOptions: CompileOptions = {
  textLimit: 80,
  columns: { cpu: false, comm: true, uid: false },
  stacks: { user: 0, kernel: 0 },
  filter: { pids: [], notPid: process.pid },
  sleepable: true,
  firstProbe: 0,
  ring: { wakeBytes: 1 << 20 },
};

/** Spec: System V psABI for x86-64, 3.2.3: the first whole number is in rdi; AAPCS64: in x0. */
const firstArgument: Target = {
  resolve: () => ({
    architecture: process.arch === "arm64" ? "arm64" : "x86-64",
    layouts: [
      {
        arguments: [{ kind: "register", register: process.arch === "arm64" ? "x0" : "di", type: u64 }],
        returned: undefined,
        returnAddress: undefined,
        missing: undefined,
      },
    ],
  }),
};
