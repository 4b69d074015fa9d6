/**
 * Owns the first question: what a hit costs the traced program, empty, counting, and sending an event that nobody formats.
 * Does not own the command line's way, formatting included (lines.ts).
 */
import { assert } from "../src/base/assert.js";
import { assemble } from "../src/bpf/assemble.js";
import { exit, mov } from "../src/bpf/build.js";
import type { MapSpec, ProgramSpec } from "../src/bpf/spec.js";
import { createMap, sumPerCpu } from "../src/kernel/maps.js";
import type { KernelMap } from "../src/kernel/maps.js";
import { loadProgram } from "../src/kernel/programs.js";
import { openRingBuffer } from "../src/kernel/ringbuffer.js";
import { attachMulti } from "../src/kernel/uprobes.js";
import { compileProbe, parse } from "../src/lang/compile.js";
import type { CompileOptions } from "../src/lang/compile.js";
import { countersMap, eventsMap } from "../src/lang/maps.js";
import type { Target } from "../src/lang/target.js";
import { u64 } from "../src/lang/types.js";
import { interleave, medianOf, ratioOf } from "./statistics.js";
import { atMost } from "./table.js";
import type { Row, Section } from "./table.js";
import type { Workplace } from "./workplace.js";

const rounds = 15;
const calls = 300_000;

/** Milliseconds between two looks at the ring, as the trace command looks. */
const pause = 20;

/** Measures site g without a probe and with three programs. */
export async function measureCost(workplace: Workplace): Promise<Section> {
  const site = { offset: workplace.offsetOf("g"), semaphore: undefined, cookie: 0 };
  const traced = (program: ProgramSpec, maps: readonly MapSpec[]) => async (): Promise<number> => {
    using kernel = new Kernel(program, maps);
    using _link = attachMulti({
      program: kernel.program,
      openPath: workplace.loop,
      shownPath: "loop",
      sites: [site],
      returns: false,
      pid: undefined,
    });
    const cost = await workplace.call("g", calls);
    kernel.expect(calls);
    return cost;
  };
  const counting = compile("loop:g", "count only");
  const sending = compile('loop:g "%d", arg1', "send");
  const measured = await interleave(rounds, {
    untraced: () => workplace.call("g", calls),
    empty: traced(emptyProgram, []),
    count: traced(counting.program, counting.maps),
    send: traced(sending.program, sending.maps),
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

const emptyProgram: ProgramSpec = {
  name: "empty",
  license: "Dual BSD/GPL",
  sleepable: false,
  source: "",
  ...assemble([mov(0, 0n), exit()]),
};

interface Compiled {
  readonly program: ProgramSpec;
  readonly maps: readonly MapSpec[];
}

/** The compiler's own program; without its statements it only counts. */
function compile(text: string, kind: "count only" | "send"): Compiled {
  const parsed = parse(text);
  const tree = kind === "send" ? parsed.tree : { ...parsed.tree, body: [] };
  const { programs, maps } = compileProbe({ ...parsed, tree }, firstArgument, usualOptions);
  assert(programs[0] !== undefined, "a program");
  return { program: programs[0], maps };
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
        missing: undefined,
      },
    ],
  }),
};

/** A loaded program with its maps; what it sends is taken out and thrown away. */
class Kernel implements Disposable {
  readonly program;
  readonly #maps: ReadonlyMap<string, KernelMap>;
  readonly #opened: Disposable[] = [];
  #drain: () => void = () => {};
  #received = 0;

  constructor(program: ProgramSpec, specs: readonly MapSpec[]) {
    const maps = specs.map((spec) => [spec.name, this.#open(createMap(spec))] as const);
    this.#maps = new Map(maps);
    const events = this.#maps.get(eventsMap);
    if (events !== undefined) this.#empty(events);
    this.program = this.#open(loadProgram(program, this.#maps, { multi: true }));
  }

  /** Fails unless so many hits were counted, and as many events came when the program sends any. */
  expect(hits: number): void {
    this.#drain();
    const counters = this.#maps.get(countersMap);
    if (counters === undefined) return;
    const [counted, lost] = sumPerCpu(counters.splitPerCpu(counters.lookup(new Uint8Array(4))!));
    assert(counted === BigInt(hits) && lost === 0n, `${hits} hits, ${counted} counted, ${lost} lost`);
    assert(this.#received === 0 || this.#received === hits, `${hits} hits, ${this.#received} events`);
  }

  [Symbol.dispose](): void {
    for (const opened of this.#opened.splice(0).reverse()) opened[Symbol.dispose]();
  }

  #empty(events: KernelMap): void {
    const ring = this.#open(openRingBuffer(events));
    this.#drain = () => {
      this.#received += ring.read(() => {});
      ring.release();
    };
    const timer = setInterval(this.#drain, pause);
    this.#open(ring.onReadable(this.#drain));
    this.#open({ [Symbol.dispose]: () => clearInterval(timer) });
  }

  #open<Opened extends Disposable>(opened: Opened): Opened {
    this.#opened.push(opened);
    return opened;
  }
}
