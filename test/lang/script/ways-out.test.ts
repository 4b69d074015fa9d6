import { describe, expect, it } from "vitest";
import { SourceError } from "../../../src/base/errors.js";
import type { HandedOver } from "../../../src/lang/script/handed-over.js";
import { handed, parseText } from "./support.js";

/** What is wrong, and the same as the problem's way out says. */
const pairs: readonly (readonly [wrong: string, right: string])[] = [
  ["(p) => p.i32(0) > most", "(p, { most }) => p.i32(0) > most"],
  ["(p, { most: other }) => other > mots", "(p, { most: other }) => other > most"],
  ["(p) => p.i32(0) > config.most", "(p) => p.i32(0) > most"],
  ["(p) => _lib.nothing", "(p) => _lib.most"],
  ["async (p) => p.pid", "(p) => p.pid"],
  ["(p) => Math.max(p.i32(0), p.i32(1))", "(p) => p.i32(0) > p.i32(1) ? p.i32(0) : p.i32(1)"],
  ["(p) => Math.abs(p.i32(0))", "(p) => p.i32(0) < 0 ? -p.i32(0) : p.i32(0)"],
  ["(p) => Math.floor(p.i32(0) / 2)", "(p) => p.i32(0) / 2"],
  ["(p) => Date.now()", "(p) => p.time"],
  ["(p) => Number(p.arg(0))", '(p) => p.cast(p.arg(0), "i32")'],
  ["(p) => BigInt(p.pid) + p.arg(0)", '(p) => p.cast(p.pid, "i64") + p.arg(0)'],
  ["(p) => Boolean(p.pid)", "(p) => !!p.pid"],
  [
    "(p) => { let n = 0; for (let i = 0; i < p.i32(0); i++) n++; return n; }",
    "(p) => { let n = 0; for (let i = 0; i < p.i32(0) && i < 16; i++) n++; return n; }",
  ],
  [
    "(p) => { let n = 0; while (n < 8) n++; return n; }",
    "(p) => { let n = 0; for (let i = 0; i < 8; i++) n++; return n; }",
  ],
  [
    "(p) => { let n = 0; for (let i = 0; i < 9; i++) { i += 1; n = i; } return n; }",
    "(p) => { let n = 0; for (let i = 0; i < 9; i++) { let place = i; place += 1; n = place; } return n; }",
  ],
  ['(p) => "pid " + p.pid', '(p) => ({ text: "pid", pid: p.pid })'],
  ["(p) => ({ ...p.process })", "(p) => ({ pid: p.pid, comm: p.comm })"],
  ["(p) => { const n = 1; n = p.i32(0); return n; }", "(p) => { let n = 1; n = p.i32(0); return n; }"],
  ["(p) => { limit = 5; return limit; }", "(p) => { let mine = limit; mine = 5; return mine; }"],
  ["(p) => p.arg(0) + 8", "(p) => p.arg(0) + 8n"],
  ["(p) => p.pid * p.arg(0)", '(p) => p.cast(p.pid, "i64") * p.arg(0)'],
  ["(p) => p.arg(0) >>> 8n", "(p) => p.u64(0) >> 8n"],
  ["(p) => p.arg(0) === -1n", "(p) => p.i64(0) === -1n"],
  ["(p) => p.u32(0) === -1", '(p) => p.cast(p.u32(0), "i32") === -1'],
  ["(p) => p.arg(0) > 9007199254740993", "(p) => p.arg(0) > 9007199254740993n"],
  ["(p) => p.bool(0) + 1", "(p) => (p.bool(0) ? 1 : 0) + 1"],
  ["(p) => p.comm ? 1 : 2", '(p) => p.comm === "GET" ? 1 : 2'],
  ["return: (p) => p.arg(0)", "span-entry: (p) => ({ value: p.arg(0) })"],
  ["span-return: (p) => p.arg(0)", "span-return: (p) => p.entry.size"],
  ["(p) => p.returned()", "return: (p) => p.returned()"],
  ["(p) => p.durationNs", "span-return: (p) => p.durationNs"],
  ["(p) => p.text(p.i32(0))", "(p) => p.text(p.arg(0))"],
  ["(p) => p.text(p.arg(0), p.i32(1))", "(p) => p.text(p.arg(0), { length: p.i32(1) })"],
  ['(p) => p.read(p.arg(0), "int32")', '(p) => p.read(p.arg(0), "i32")'],
  ["(p, { counts }) => counts.add(p.comm, 5)", "(p, { counts }) => counts.add(p.comm)"],
  ["(p, { total }) => total.add(p.bool(0))", "(p, { total }) => total.add(p.bool(0) ? 1 : 0)"],
  ["(p, { total }) => total.add(p.arg(0))", '(p, { total }) => total.add(p.cast(p.arg(0), "i64"))'],
  ["(p, { widths }) => widths.add(p.i32(0))", '(p, { widths }) => widths.add(p.cast(p.i32(0), "u64"))'],
  ["(p, { levels }) => levels.set(1n, 4294967296)", "(p, { levels }) => levels.set(1n, 2147483647)"],
  ["(p) => [p.pid > 1 ? p.arg(0) : -1n]", '(p) => [p.pid > 1 ? p.cast(p.arg(0), "i64") : -1n]'],
  ['(p) => p.enum(p.u32(0), { "-1": "none" })', '(p) => p.enum(p.cast(p.u32(0), "i32"), { "-1": "none" })'],
  [
    "(p) => { if (p.pid > 1) return false; return { pid: p.pid }; }",
    "(p) => { if (p.pid > 1) return; return { pid: p.pid }; }",
  ],
  ["(p, { byProcess }) => byProcess.add(p.pid)", "(p, { byProcess }) => byProcess.add(p.process)"],
  [
    "(p, { pairs }) => pairs.add({ pid: p.pid })",
    "(p, { pairs }) => pairs.add({ pid: p.pid, name: p.text(p.arg(0)) })",
  ],
  ["(p, { starts }) => starts.set(p.tid, 5)", "(p, { starts }) => starts.set(p.tid, 5n)"],
  [
    "(p, { starts }) => starts.set(p.tid, p.pid)",
    '(p, { starts }) => starts.set(p.tid, p.cast(p.pid, "u64"))',
  ],
  ["(p, { starts }) => p.time - starts.get(1)", "(p, { starts }) => p.time - (starts.get(1) ?? 0n)"],
  [
    "(p) => ({ extra: p.i32(0) > 0 ? { a: 1 } : undefined })",
    "(p) => { if (p.i32(0) > 0) return { extra: { a: 1 } }; return { extra: undefined }; }",
  ],
];

const withMost: HandedOver = new Map([...handed, ["most", { kind: "constant", value: 5 }]]);

describe("the ways out that are told", () => {
  for (const [wrong, right] of pairs) {
    it(`lead from ${wrong.replaceAll("\n", " ")}`, () => {
      expect(() => parseText(wrong, { handed: wrong.includes("most:") ? withMost : handed })).toThrow(
        SourceError,
      );
      parseText(right, { handed: withMost });
    });
  }
});
