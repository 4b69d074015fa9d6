/**
 * Owns `uscope stacks`: on which ways functions are reached, and how often each. docs/stacks.md is the contract.
 * Does not own frames as text (frames.ts) nor the options' spelling (cli/).
 */
import { counter, observe, uprobe } from "../index.js";
import type { Counter, ProcessValue, ScriptProbe } from "../index.js";
import { fold, unknown, untilUnknown, withName, withoutOffset } from "./frames.js";
import { printTables } from "./tables.js";
import type { Named, TableForm, TablesRequest } from "./tables.js";
import { Watching, printName } from "./watching.js";

export interface StacksRequest extends TablesRequest {
  /** Stacks at most, those with the largest counts. */
  readonly top: number | undefined;
  /** Calls on this processor only. */
  readonly cpu: number | undefined;
  /** Stacks of each process and thread's name apart. */
  readonly perProcess: boolean;
  /** Frames with the place inside their function; calls from several places of one function are then several stacks. */
  readonly offsets: boolean;
  /** A line a stack, for flame graphs. */
  readonly folded: boolean;
}

/** Runs until it is stopped or nothing is left to watch; returns the exit code. */
export async function stacks(request: StacksRequest): Promise<number> {
  using watching = new Watching(request);
  const probes = request.patterns.map((pattern) =>
    request.perProcess ? probeByProcess(pattern, request.cpu) : probeByStack(pattern, request.cpu),
  );
  const named = Object.fromEntries(probes.map(({ probe }) => probe).entries());
  await using observation = observe(named, request.options);
  await watching.begin(observation);
  return await printTables({
    request,
    watching,
    observation,
    gathered: {
      async all() {
        const tables = await Promise.all(
          probes.map(async ({ calls }) => (await observation.read(calls)).map(presentRow)),
        );
        for (const note of notesOn(tables.flat())) watching.remark(`note: ${note}`);
        return tables;
      },
      intervals: (seconds) =>
        probes.map(({ calls }) => presentRows(observation.intervals(calls, { seconds }))),
    },
    form: new StackTables(request),
  });
}

/** What stacks are counted by. */
interface StackKey {
  readonly function: string;
  readonly stack: readonly string[];
  readonly process?: ProcessValue;
}

interface StackProbe {
  readonly probe: ScriptProbe<undefined>;
  readonly calls: Counter<StackKey>;
}

function probeByStack(pattern: string, cpu: number | undefined): StackProbe {
  const calls = counter({ key: { function: "function", stack: "stack" } });
  const using = { calls, isAnyCpu: cpu === undefined, cpu: cpu ?? 0 };
  const probe = uprobe(
    pattern,
    (p, { calls, isAnyCpu, cpu }) => {
      if (isAnyCpu || p.cpu === cpu) calls.add({ function: p.function, stack: p.stack() });
    },
    { using },
  );
  return { probe, calls };
}

function probeByProcess(pattern: string, cpu: number | undefined): StackProbe {
  const calls = counter({ key: { function: "function", stack: "stack", process: "process" } });
  const using = { calls, isAnyCpu: cpu === undefined, cpu: cpu ?? 0 };
  const probe = uprobe(
    pattern,
    (p, { calls, isAnyCpu, cpu }) => {
      if (isAnyCpu || p.cpu === cpu)
        calls.add({ function: p.function, stack: p.stack(), process: p.process });
    },
    { using },
  );
  return { probe, calls };
}

/** A stack of one function; `key` is the function. */
interface StackRow {
  readonly key: string;
  readonly frames: readonly string[];
  readonly process: ProcessValue | undefined;
  readonly count: number;
}

function presentRow({ key, count }: { readonly key: StackKey; readonly count: number }): StackRow {
  return { key: key.function, frames: untilUnknown(key.stack), process: key.process, count };
}

async function* presentRows(
  intervals: AsyncIterable<readonly { readonly key: StackKey; readonly count: number }[]>,
): AsyncGenerator<readonly StackRow[]> {
  for await (const rows of intervals) yield rows.map(presentRow);
}

/** Frames that the kernel walks at most. */
const mostFrames = 127;

/** What a reader of these stacks should know. */
function notesOn(rows: readonly StackRow[]): readonly string[] {
  const notes: string[] = [];
  const depths = rows.map(({ frames }) => frames.filter((frame) => frame !== unknown).length);
  // Why two: at an entry the direct caller is known without any frame.
  if (depths.length > 0 && depths.every((depth) => depth <= 2)) {
    // Why the files: of a library's places it is often the library, and not the program.
    const files = new Set(
      rows.flatMap(({ frames }) => frames.flatMap((frame) => / \[([^\]]+)\]$/.exec(frame)?.[1] ?? [])),
    );
    const who = files.size === 0 || files.size > 3 ? "the program or its libraries" : [...files].join(" or ");
    notes.push(
      `no stack is deeper than the direct caller: ${who} may have been built without frame pointers (-fno-omit-frame-pointer keeps them)`,
    );
  }
  const long = rows.filter((_, index) => depths[index]! >= mostFrames);
  // Why a set: of patterns that mean the same function each has them.
  const cut = new Set(long.map(({ frames }) => frames.join("\n"))).size;
  if (cut > 0)
    notes.push(
      `${cut} ${cut === 1 ? "stack has" : "stacks have"} ${mostFrames} frames or more: the outermost callers are missing`,
    );
  return notes;
}

type Shown = Named<StackRow>;

class StackTables implements TableForm<StackRow, Shown> {
  readonly draw = undefined;
  readonly #request: StacksRequest;

  constructor(request: StacksRequest) {
    this.#request = request;
  }

  /** The smallest count first; stacks that look the same are one. */
  arrange(rows: readonly Shown[]): readonly Shown[] {
    const joined = new Map<string, Shown>();
    for (const row of rows) {
      const shown = { ...row, frames: this.#framesOf(row) };
      const identity = [row.pattern, shown.process?.pid, shown.process?.comm, ...shown.frames].join("\n");
      const other = joined.get(identity);
      joined.set(identity, other ? { ...other, count: other.count + row.count } : shown);
    }
    // Why the text too: keys hold addresses, whose order is another each time.
    return [...joined]
      .sort(([one, left], [other, right]) => left.count - right.count || (one < other ? -1 : 1))
      .map(([, row]) => row);
  }

  print(rows: readonly Shown[]): string {
    const shown = this.#shown(rows);
    if (this.#request.folded)
      return shown
        .map(
          ({ frames, process, count }) =>
            `${printName(fold(frames, process && nameOf(process, "-")))} ${count}\n`,
        )
        .join("");
    const total = `total ${sumOf(rows)} in ${rows.length} ${rows.length === 1 ? "stack" : "stacks"}\n`;
    return `${shown.map((row) => `${printStack(row)}\n`).join("")}${total}`;
  }

  objects(rows: readonly Shown[], when: object): readonly object[] {
    const objects = this.#shown(rows).map(({ pattern, name, frames, process, count }) => ({
      function: name,
      stack: frames,
      ...(process === undefined ? {} : { process }),
      count,
      pattern,
      ...when,
    }));
    return [...objects, { total: sumOf(rows), stacks: rows.length, ...when }];
  }

  /**
   * Why the first by its name: it is the function that was asked for, whatever else its address is called. A marker stands in front
   * of the function that holds it.
   */
  #framesOf({ key, pattern, frames }: Shown): readonly string[] {
    const shown = (frames: readonly string[]): readonly string[] =>
      this.#request.offsets ? frames : frames.map(withoutOffset);
    if (pattern.startsWith("u:")) return [key, ...shown(frames)];
    const [own, ...callers] = frames;
    return [withName(own, key), ...shown(callers)];
  }

  #shown(rows: readonly Shown[]): readonly Shown[] {
    return this.#request.top === undefined ? rows : rows.slice(-this.#request.top);
  }
}

/** As stackcount prints it: frames, innermost first, whose they are, and how often. */
function printStack({ frames, process, count }: Shown): string {
  const lines = frames.map((frame) => `  ${printName(frame)}\n`);
  const whose = process === undefined ? "" : `    ${printName(nameOf(process, " "))}\n`;
  return `${lines.join("")}${whose}    ${count}\n`;
}

function nameOf({ pid, comm }: ProcessValue, between: "-" | " "): string {
  return between === "-" ? `${comm}-${pid}` : `${comm} [${pid}]`;
}

function sumOf(rows: readonly Shown[]): number {
  return rows.reduce((sum, { count }) => sum + count, 0);
}
