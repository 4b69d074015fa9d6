/**
 * Owns the tables of what JavaScript has and probes have not, with the ways out.
 * Does not own misuse of what probes have.
 */
import type { AnyNode } from "acorn";

interface Refusal {
  readonly what: string;
  readonly fix: string;
}

const loops = "write for (let i = 0; i < 8; i++), of at most 128 rounds";
const plain = "write it as plain statements in the probe function";

/** By the type of the node. */
const nodes: Readonly<Partial<Record<AnyNode["type"], Refusal>>> = {
  WhileStatement: { what: "a while loop has no bound that is known", fix: loops },
  DoWhileStatement: { what: "a do loop has no bound that is known", fix: loops },
  ForInStatement: { what: "a for-in loop has no bound that is known", fix: loops },
  ThrowStatement: {
    what: "nothing can be thrown in the kernel",
    fix: "write return; to end here without an event",
  },
  TryStatement: {
    what: "nothing is thrown in the kernel, so there is nothing to catch",
    fix: "remove try; where memory cannot be read the hit ends and counts as faulted",
  },
  ClassDeclaration: { what: "there are no classes in the kernel", fix: plain },
  ClassExpression: { what: "there are no classes in the kernel", fix: plain },
  FunctionDeclaration: { what: "a probe has no functions of its own", fix: plain },
  FunctionExpression: { what: "a probe has no functions of its own", fix: plain },
  ArrowFunctionExpression: { what: "a probe has no functions of its own", fix: plain },
  NewExpression: { what: "nothing is made with new in the kernel", fix: "return an object or array literal" },
  ThisExpression: { what: "there is no this in the kernel", fix: "hand over what you need with using" },
  Super: { what: "there is no super in the kernel", fix: "hand over what you need with using" },
  AwaitExpression: { what: "nothing can be waited for in the kernel", fix: "remove await" },
  YieldExpression: { what: "a probe gives one event, with return", fix: "write return { ... }" },
  ImportExpression: { what: "nothing is imported in the kernel", fix: "hand over what you need with using" },
  MetaProperty: { what: "this is not known in the kernel", fix: "hand over what you need with using" },
  TaggedTemplateExpression: {
    what: "a tagged template calls a function, and only what p offers can be called",
    fix: "write the text without a tag",
  },
  SpreadElement: {
    what: "nothing can be spread in the kernel",
    fix: "name each value: { pid: p.pid, comm: p.comm }",
  },
  RestElement: { what: "nothing can be gathered with ... in the kernel", fix: "name each value" },
  ChainExpression: {
    what: "?. is for what may be undefined, and nothing here has properties and may",
    fix: "write . instead of ?.",
  },
  WithStatement: { what: "there is no with in the kernel", fix: "write p. in front of each name" },
  PrivateIdentifier: {
    what: "there are no private names in the kernel",
    fix: "hand over what you need with using",
  },
};

export function refusalOf(node: AnyNode): Refusal {
  return nodes[node.type] ?? { what: `${node.type} is not for probes`, fix: plain };
}

/** By the operator. */
const operators: Readonly<Record<string, Refusal>> = {
  "**": { what: "there is no ** in the kernel", fix: "multiply, or shift: 1 << 4" },
  in: { what: "there is no in for probes", fix: "use table.has(key)" },
  instanceof: { what: "values in the kernel are of no class", fix: "compare numbers or texts" },
  typeof: { what: "the types of a probe are known before it runs", fix: "remove the test" },
  delete: {
    what: "nothing of an object can be deleted",
    fix: "use table.delete(key), or leave the value out of what you return",
  },
};

export function refusalOfOperator(operator: string): Refusal {
  return (
    operators[operator] ?? {
      what: `"${operator}" is not for probes`,
      fix: "use arithmetic, logic and comparison",
    }
  );
}

/** Calls that people try, by how they are written. */
const calls: readonly (readonly [RegExp, string])[] = [
  [/^Math\.(max|min)$/, "compare: a > b ? a : b"],
  [/^Math\.abs$/, "write x < 0 ? -x : x"],
  [/^Math\.(floor|trunc|round|ceil)$/, "leave it out: division is whole already"],
  [/^Math\./, "compute it where the event is handled"],
  [/^console\./, "return what you want to see: return { pid: p.pid }"],
  [/^JSON\.stringify$/, "return the object itself"],
  [/^JSON\.|^fetch$|^require$/, "do it where the event is handled"],
  [/^(Date\.now|performance\.now|process\.hrtime.*)$/, "use p.time, nanoseconds since boot"],
  [/^Number$/, 'write p.cast(x, "i32"), which keeps the low 32 bits'],
  [/^parse(Int|Float)$|^Number\.parse/, "return the text, and parse it where the event is handled"],
  [/^BigInt$/, 'write p.cast(x, "i64")'],
  [/^BigInt\.asUintN$/, 'write p.cast(x, "u64")'],
  [/^BigInt\.asIntN$/, 'write p.cast(x, "i64")'],
  [/^String$|\.toString$|\.toFixed$/, "return the value itself, and print it where the event is handled"],
  [/^Boolean$/, "write !!x, or compare"],
  [/^Object\.|^Array\b|^Symbol/, "return an object or array literal"],
  [
    /\.(startsWith|endsWith|includes|indexOf|slice|substring|trim|split|toLowerCase|toUpperCase|match|replace)$/,
    "compare the whole text with ===, or return it and do this where the event is handled",
  ],
  [
    /\.(push|map|filter|forEach|reduce|some|every|find|join|concat)$/,
    "write the values out, or do it where the event is handled",
  ],
];

/** The way out of a call to something that p does not offer. */
export function fixOfCall(written: string): string {
  const found = calls.find(([pattern]) => pattern.test(written));
  return found?.[1] ?? "call only what p offers, and compute the rest where the event is handled";
}
