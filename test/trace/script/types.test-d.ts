/**
 * What TypeScript infers and refuses: this file compiles only when it is right. Each @ts-expect-error is a mistake that an author
 * must be told of; where it is none, the compiler says so.
 */
import {
  counter,
  histogram,
  observe,
  span,
  summary,
  table,
  tunable,
  uprobe,
  uretprobe,
  usdt,
} from "../../../src/index.js";

type Same<Left, Right> =
  (<T>() => T extends Left ? 1 : 2) extends <T>() => T extends Right ? 1 : 2 ? true : false;
declare function same<Left, Right>(..._: Same<Left, Right> extends true ? [] : [never]): void;

const commands = uprobe("redis-server:createStringObject", (p) => ({
  pid: p.pid,
  text: p.text(p.arg(0), { length: p.arg(1) }),
}));

export async function events(): Promise<void> {
  for await (const event of observe(commands)) {
    same<typeof event, { pid: number; text: string }>();
    // @ts-expect-error a misspelt field
    void event.txt;
  }
}

export async function severalProbes(): Promise<void> {
  const sizes = uprobe("a:malloc", (p) => p.u64(0));
  for await (const one of observe({ commands, sizes })) {
    if (one.name === "sizes") same<typeof one.event, bigint>();
    else same<typeof one.event.text, string>();
    // @ts-expect-error no probe has this name
    if (one.name === "others") return;
  }
}

// Early returns: what is not returned is no event.
const some = uprobe("a:b", (p) => {
  if (p.i32(0) < 0) return;
  return { size: p.i32(0) };
});
export const someEvents: AsyncIterable<{ size: number }> = observe(some);

// Numbers are by their type: 64 bits are bigint, what is narrower is number.
uprobe("a:b", (p) => {
  same<ReturnType<typeof p.u64>, bigint>();
  const narrow: number = p.u32(0) + p.pid;
  const wide: bigint = p.arg(0) + 1n;
  // @ts-expect-error number and bigint do not combine
  void (p.arg(0) + 1);
  // Comparing is fine.
  return p.arg(0) > 4096 && narrow > 0 ? { wide } : undefined;
});

// @ts-expect-error an argument is chosen by a number
uprobe("a:b", (p) => ({ x: p.arg("0") }));
// @ts-expect-error text lies at an address, which is a bigint
uprobe("a:b", (p) => ({ x: p.text(p.i32(0)) }));
// @ts-expect-error there are no arguments at a return
uretprobe("a:b", (p) => ({ x: p.arg(0) }));
// @ts-expect-error no such type
uprobe("a:b", (p) => ({ x: p.read(p.arg(0), "u128") }));
// @ts-expect-error nothing is returned at an entry
uprobe("a:b", (p) => ({ x: p.returned() }));

uretprobe("a:b", (p) => {
  same<ReturnType<typeof p.pid.valueOf>, number>();
  const code: number = p.returned("i32");
  const word: bigint = p.returned();
  return { code, word };
});

const kind = uprobe("a:b", (p) => ({ kind: p.enum(p.u32(0), { 0: "string", 1: "list" }) }));
export async function enums(): Promise<void> {
  for await (const event of observe(kind)) same<typeof event.kind, number | "string" | "list">();
}

const word = uprobe("a:b", (p) => ({ kind: p.enum(p.u64(0), { 0: "string" }) }));
export async function wideEnums(): Promise<void> {
  for await (const event of observe(word)) same<typeof event.kind, bigint | "string">();
}

// A condition in front of an object decides whether there is an event, and is none itself.
const whether = uprobe("a:b", (p) => p.i32(0) > 3 && { size: p.u64(0) });
const whetherAny = uprobe("a:b", (p) => p.u64(0) && [p.i32(0)]);
const truth = uprobe("a:b", (p) => p.i32(0) > 3);
export async function conditions(): Promise<void> {
  for await (const event of observe(whether)) same<typeof event, { size: bigint }>();
  for await (const event of observe(whetherAny)) same<typeof event, number[]>();
  for await (const event of observe(truth)) same<typeof event, boolean>();
}

// Values of 64 bits without a sign are for aggregates that say so.
summary({ value: "u64" });
histogram({ key: "u32", value: "i64" });
// @ts-expect-error narrower values are taken as they are
histogram({ value: "u8" });

// A span keeps what its entry returns.
span("a:b", {
  entry: (p) => ({ key: p.text(p.arg(1)), size: p.u64(2) }),
  exit: (p) => {
    same<typeof p.entry, { key: string; size: bigint }>();
    same<typeof p.durationNs, number>();
    // @ts-expect-error nothing like it was kept
    void p.entry.value;
    return { key: p.entry.key, ns: p.durationNs, code: p.returned("i32") };
  },
});

// Between two places the end has arguments, and returns nothing.
span("u:a:b__start..b__done", {
  entry: (p) => ({ key: p.text(p.arg(1)) }),
  exit: (p) => {
    same<typeof p.entry, { key: string }>();
    same<typeof p.durationNs, number>();
    // @ts-expect-error it is no return
    void p.returned;
    return { rows: p.i64(0) };
  },
});
span({ from: "u:a:b", to: "r:a:c" }, { exit: (p) => p.durationNs });
// @ts-expect-error it begins nowhere
span({ to: "r:a:c" }, { exit: () => 1 });

// What is handed over has its type, and keys have that of their schema.
const calls = counter({ key: { command: "text", process: "process" } });
const sizes = histogram({ key: "function", scale: { from: 0, to: 100, step: 10 } });
const all = histogram();
const total = summary();
const starts = table({ key: ["u32", "u64"], value: "u64" });
const limit = tunable(10);
uprobe(
  "a:b",
  (p, { calls, sizes, all, total, starts, limit, most, name }) => {
    same<typeof limit, number>();
    same<typeof name, string>();
    same<typeof most, bigint>();
    calls.add({ command: name, process: p.process });
    // @ts-expect-error a part of the key is missing
    calls.add({ command: p.comm });
    // @ts-expect-error a part of the key has another type
    calls.add({ command: p.pid, process: p.process });
    sizes.add(p.function, p.i32(0));
    // @ts-expect-error a value is missing
    sizes.add(p.function);
    all.add(p.arg(0));
    // @ts-expect-error a histogram without a key takes none
    all.add("x", 1);
    total.add(p.i32(0));
    const start = starts.get([p.tid, p.arg(0)]);
    same<typeof start, bigint | undefined>();
    starts.set([p.tid, p.arg(0)], p.time);
    // @ts-expect-error a table of u64 takes a bigint
    starts.set([p.tid, p.arg(0)], 1);
    // @ts-expect-error a key of another length
    starts.delete([p.tid]);
    // @ts-expect-error nothing like it was handed over
    void p.other;
    return { most };
  },
  { using: { calls, sizes, all, total, starts, limit, most: 5n, name: "x" } },
);

// Rows are those of the aggregate's kind; without a key there is one.
export async function rows(): Promise<void> {
  await using observation = observe(commands);
  const counted = await observation.read(calls, { top: 10 });
  same<
    (typeof counted)[number]["key"],
    { command: string; process: { readonly pid: number; readonly comm: string } }
  >();
  const one = await observation.read(total);
  same<typeof one.max, bigint>();
  const [first] = await observation.read(sizes);
  same<NonNullable<typeof first>["key"], string>();
  for await (const interval of observation.intervals(all, { seconds: 1 }))
    same<typeof interval.count, number>();
  // @ts-expect-error a counter has no buckets
  void counted[0]?.buckets;
  limit.set(11);
  // @ts-expect-error a number stays a number
  limit.set(11n);
}

// Keys by stack: names in rows.
const byStack = counter({ key: { stack: "stack", pid: "u32" } });
uprobe("a:b", (p, { byStack }) => byStack.add({ stack: p.stack(), pid: p.pid }), { using: { byStack } });
// @ts-expect-error a stack is no text
uprobe("a:b", (p, { byStack }) => byStack.add({ stack: p.comm, pid: p.pid }), { using: { byStack } });
export async function stacks(): Promise<void> {
  const rows = await observe(commands).read(byStack);
  same<(typeof rows)[number]["key"], { stack: readonly string[]; pid: number }>();
}
// @ts-expect-error a table has no stacks as keys
table({ key: ["u32", "stack"], value: "u64" });

// The arguments of a marker have the names and types of their declaration.
const loaded = usdt(
  "libjvm.so:hotspot:class__loaded",
  (p) => {
    same<typeof p.args.length, number>();
    same<typeof p.args.loader, bigint>();
    // @ts-expect-error a misspelt name
    void p.args.nmae;
    // @ts-expect-error what is not looked at has no value
    void p.args.thread;
    // @ts-expect-error number and bigint do not combine
    void (p.args.length + p.args.loader);
    // @ts-expect-error a marker returns nothing
    void p.returned();
    return { all: p.args, where: p.function, first: p.arg(0), second: p.i32(1) };
  },
  {
    args: {
      name: { text: "length" },
      length: "i32",
      loader: "address",
      shared: "bool",
      thread: "skip",
      file: "text",
      size: "u64",
    },
  },
);
export async function markers(): Promise<void> {
  for await (const event of observe(loaded)) {
    same<typeof event.all.name, string>();
    same<typeof event.all.file, string>();
    same<typeof event.all.length, number>();
    same<typeof event.all.loader, bigint>();
    same<typeof event.all.size, bigint>();
    same<typeof event.all.shared, boolean>();
    same<typeof event.where, string>();
    same<typeof event.second, number>();
    // @ts-expect-error what is not looked at has no value
    void event.all.thread;
  }
}
// @ts-expect-error without a declaration there are no names
usdt("a:b", (p) => p.args.name);
// @ts-expect-error no argument has the name of the length
usdt("a:b", (p) => p.args.name, { args: { name: { text: "lenght" }, length: "i32" } });
// @ts-expect-error no such type
usdt("a:b", (p) => p.args.name, { args: { name: "string" } });
// @ts-expect-error a function's arguments have no names
uprobe("a:b", (p) => p.args);
// What is handed over goes with it.
usdt(
  "a:b",
  (p, { calls, limit }) => p.args.rows > limit && calls.add({ command: p.args.query, process: p.process }),
  {
    args: { query: "text", rows: "u32" },
    using: { calls, limit },
  },
);
