/**
 * Owns a program on a function of the loop, loaded and armed without the command line, its events taken out and thrown away.
 * Does not own which program, nor what its cost is compared with.
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
import { countersMap, eventsMap } from "../src/lang/maps.js";
import type { Site, Workplace } from "./workplace.js";

export interface Program {
  readonly spec: ProgramSpec;
  readonly maps: readonly MapSpec[];
}

/** Only returns. */
export const emptyProgram: Program = {
  spec: {
    name: "empty",
    license: "Dual BSD/GPL",
    sleepable: false,
    source: "",
    ...assemble([mov(0, 0n), exit()]),
  },
  maps: [],
};

/** Milliseconds between two looks at the ring, as the trace command looks. */
const pause = 20;

/** Calls a function with the program on it; returns nanoseconds per call. Fails when a hit is not counted or an event is lost. */
export async function callTraced(
  workplace: Workplace,
  program: Program,
  calls: number,
  site: Site = "g",
): Promise<number> {
  using kernel = new Kernel(program);
  using _link = attachMulti({
    program: kernel.program,
    openPath: workplace.loop,
    shownPath: "loop",
    sites: [{ offset: workplace.offsetOf(site), semaphore: undefined, cookie: 0 }],
    returns: false,
    pid: undefined,
  });
  const cost = await workplace.call(site, calls);
  kernel.expect(calls);
  return cost;
}

/** A loaded program with its maps; what it sends is taken out and thrown away. */
class Kernel implements Disposable {
  readonly program;
  readonly #maps: ReadonlyMap<string, KernelMap>;
  readonly #opened: Disposable[] = [];
  #drain: () => void = () => {};
  #received = 0;

  constructor({ spec, maps: specs }: Program) {
    const maps = specs.map((spec) => [spec.name, this.#open(createMap(spec))] as const);
    this.#maps = new Map(maps);
    const events = this.#maps.get(eventsMap);
    if (events !== undefined) this.#empty(events);
    this.program = this.#open(loadProgram(spec, this.#maps, { multi: true }));
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
