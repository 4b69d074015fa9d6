/**
 * Owns one probe for each thing that a tree can say and no one-liner can: what the compiler's tests print, run and give to the verifier.
 * Does not own what they expect.
 */
import type { AggregateSpec, KeyPartSpec } from "../../src/lang/aggregates.js";
import type { CompileOptions, CompiledProbe } from "../../src/lang/compile.js";
import type { EmitField, KeyPart, Statement } from "../../src/lang/tree.js";
import { i16, i32, i64, u32, u64, u8 } from "../../src/lang/types.js";
import {
  aggregate,
  aggregates,
  argument,
  assign,
  binary,
  block,
  compileStatements,
  declare,
  elapsed,
  emit,
  field,
  finish,
  keep,
  kept,
  keyLiteral,
  keyNumber,
  keyText,
  leave,
  lookUp,
  named,
  number,
  read,
  site,
  span,
  text,
  tunable,
  update,
  use,
  variable,
  when,
} from "./statements.js";

export interface Construct {
  readonly name: string;
  readonly body: readonly Statement[];
  readonly options?: Partial<CompileOptions>;
  readonly at?: "return";
  /** At the return of a span: what the entry keeps. */
  readonly keeps?: readonly EmitField[];
}

const integer = (type = u64): KeyPartSpec => ({ kind: "integer", type });
const linear = { from: -100n, width: 50n, count: 10 };

export const wideKey: AggregateSpec = aggregate("counter", {
  key: [
    integer(u8),
    integer(u64),
    { kind: "text", bytes: 21 },
    { kind: "comm" },
    { kind: "site" },
    { kind: "text", bytes: 6 },
  ],
});
export const wideKeyParts = [
  keyNumber(argument(0)),
  keyNumber(argument(1)),
  keyText(argument(2)),
  keyText(named("comm")),
  keyNumber(site),
  keyLiteral("get"),
];

export const stackKey: AggregateSpec = aggregate("counter", {
  key: [integer(u64), { kind: "stack", depth: 3 }],
  entries: 3,
});
const keyStack: KeyPart = { kind: "stack", span };

const [a, b, c] = [variable(0), variable(1), variable(2)];
const spanOption = { map: "open", number: 0 };

export const keptFields: readonly EmitField[] = [
  field(argument(0)),
  text(argument(1), { limit: 20 }),
  field(argument(2, i16)),
  text(named("comm")),
  text(argument(1), { length: argument(2), limit: 9 }),
  field(argument(1), { kind: "bytes", count: 5 }),
  field(argument(1), { kind: "symbol", space: "user" }),
];

export const constructs: readonly Construct[] = [
  {
    name: "variables and branches",
    body: [
      declare(a, argument(0)),
      declare(b, number(0, i64)),
      when(
        binary(">", use(a), number(10)),
        [assign(b, binary("*", use(a), number(2)))],
        [when(binary("==", use(a), number(3)), [finish]), assign(b, read(argument(1), i32))],
      ),
      emit([field(use(a)), field(use(b)), text(argument(2), { limit: 12 })]),
    ],
  },
  {
    name: "blocks that are left",
    body: [
      declare(a, number(0, i32)),
      block(1, [
        when(binary("==", argument(0), number(0)), [leave(1)]),
        assign(a, number(1)),
        block(2, [when(binary("<", argument(0), number(5)), [leave(1)]), leave(2), finish]),
        assign(a, number(2)),
      ]),
      emit([field(use(a))]),
    ],
  },
  {
    name: "events of two shapes",
    options: {
      columns: { cpu: true, comm: false, uid: false },
      stacks: { user: 0, kernel: 2 },
      stackDepth: 4,
    },
    body: [
      when(binary("<", argument(0, i32), number(0)), [
        emit([field(argument(0, i32)), text(named("comm"))]),
        finish,
      ]),
      emit(
        [
          text(argument(1), { length: argument(2), limit: 30 }),
          field(argument(1), { kind: "bytes", count: 7 }),
          field(number(0), { kind: "stack" }),
          field(binary("/", argument(0), argument(2))),
          field(argument(1), { kind: "symbol", space: "user" }),
        ],
        1,
      ),
    ],
  },
  { name: "a counter", options: aggregates(aggregate("counter")), body: [update(0)] },
  {
    name: "a counter by site",
    options: { ...aggregates(aggregate("counter", { key: [{ kind: "site" }] })), sites: 8 },
    body: [update(0, [keyNumber(site)])],
  },
  {
    name: "a summary",
    options: aggregates(aggregate("summary"), aggregate("summary", { value: u64, key: [integer(u32)] })),
    body: [update(0, [], argument(0)), update(1, [keyNumber(named("pid"))], argument(0))],
  },
  {
    name: "histograms",
    options: {
      sites: 3,
      ...aggregates(
        aggregate("log2"),
        aggregate("log2", { key: [integer(u64)], value: u64 }),
        aggregate("linear", { steps: linear }),
        aggregate("linear", {
          steps: { from: 0n, width: 8n, count: 3 },
          value: u32,
          key: [{ kind: "site" }],
        }),
      ),
    },
    body: [
      update(0, [], argument(0)),
      update(1, [keyNumber(argument(1))], argument(0)),
      update(2, [], argument(0)),
      update(3, [keyNumber(site)], argument(0)),
    ],
  },
  {
    name: "a counter with a key of many parts",
    options: aggregates(wideKey),
    body: [update(0, wideKeyParts), emit([field(argument(0))])],
  },
  {
    name: "a counter by stack",
    options: aggregates(stackKey),
    body: [update(0, [keyNumber(argument(0)), keyStack])],
  },
  {
    name: "values by stack and text",
    options: aggregates(
      aggregate("summary", {
        key: [{ kind: "text", bytes: 200 }, { kind: "comm" }, { kind: "stack", depth: 127 }, integer(u8)],
      }),
      aggregate("log2", {
        key: [
          { kind: "stack", depth: 127 },
          { kind: "text", bytes: 3 },
        ],
      }),
    ),
    body: [
      update(
        0,
        [keyText(argument(0)), keyText(named("comm")), keyStack, keyNumber(read(argument(1), u8))],
        read(argument(2), i64),
      ),
      update(1, [keyStack, keyText(argument(0), argument(1))], argument(1)),
      emit([field(read(argument(1), u8)), text(argument(0))]),
    ],
  },
  {
    name: "keys of text",
    options: aggregates(
      aggregate("counter", { key: [{ kind: "text", bytes: 5 }] }),
      aggregate("counter", { key: [{ kind: "text", bytes: 100 }, integer(u8)] }),
      aggregate("table", { key: [{ kind: "text", bytes: 20 }] }),
    ),
    body: [
      update(0, [keyText(argument(0), argument(1))]),
      update(1, [keyText(argument(0)), keyNumber(argument(1))]),
      update(2, [keyText(named("comm"))], argument(1), "set"),
      emit([field(argument(1))]),
    ],
  },
  {
    name: "a table",
    options: aggregates(aggregate("table", { key: [integer(u64)] }), aggregate("table")),
    body: [
      lookUp(0, [keyNumber(argument(0))], a, b),
      when(
        use(b),
        [update(0, [keyNumber(argument(0))], undefined, "delete")],
        [update(0, [keyNumber(argument(0))], argument(1), "set")],
      ),
      update(1, [], binary("+", use(a), number(1)), "set"),
      update(1, [], number(4)),
      lookUp(1, [], c, b),
      emit([field(use(a)), field(use(b)), field(use(c))]),
    ],
  },
  {
    name: "tunables",
    body: [
      when(binary("<", argument(0, i64), tunable(2)), [finish]),
      emit([field(tunable(0)), field(binary("-", argument(0, i64), tunable(2)))]),
    ],
  },
  {
    name: "the entry of a span",
    options: { span: { ...spanOption, role: "entry" } },
    body: [when(binary("==", argument(0), number(0)), [finish]), keep(...keptFields)],
  },
  {
    name: "the return of a span",
    at: "return",
    keeps: keptFields,
    options: {
      ...aggregates(
        aggregate("log2"),
        aggregate("counter", {
          key: [
            { kind: "text", bytes: 10 },
            { kind: "comm" },
            { kind: "text", bytes: 30 },
            { kind: "text", bytes: 4 },
          ],
        }),
      ),
      span: { map: "open", number: 2, role: "return" },
    },
    body: [
      update(0, [], elapsed),
      update(1, [keyText(kept(1)), keyText(kept(3)), keyText(kept(3)), keyText(kept(4))]),
      emit([
        field(kept(0)),
        text(kept(1)),
        field(kept(2)),
        text(kept(3)),
        text(kept(4)),
        field(kept(5), { kind: "bytes", count: 5 }),
        field(kept(6), { kind: "symbol", space: "user" }),
        field(elapsed),
        field(named("retval")),
      ]),
    ],
  },
];

/** Compiles one of them. */
export function compileConstruct(
  { body, options = {}, at, keeps }: Construct,
  more: Partial<CompileOptions> = {},
): CompiledProbe {
  const { kept: layout } = compileStatements(keeps === undefined ? [] : [keep(...keeps)], {
    span: { ...spanOption, role: "entry" },
  });
  const span = options.span && { ...options.span, ...(keeps === undefined ? {} : { kept: layout }) };
  return compileStatements(
    body,
    { ...options, ...more, ...(span === undefined ? {} : { span }) },
    at ?? "entry",
  );
}

/** Finds one by its name. */
export function construct(name: string): Construct {
  const found = constructs.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no construct "${name}"`);
  return found;
}
