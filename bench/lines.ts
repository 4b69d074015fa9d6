/**
 * Owns the second question: what a call costs when `uscope trace` prints a line for each, and whether all lines are there.
 * Does not own the peers' commands (peers.ts).
 */
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { findPeers, printByBcc, printByBpftrace } from "./peers.js";
import type { Printed } from "./peers.js";
import { run } from "./processes.js";
import { interleave, medianOf, ratioOf } from "./statistics.js";
import { atMost } from "./table.js";
import type { Row, Section } from "./table.js";
import { callTraced, emptyProgram } from "./traced.js";
import { readCost, uscope } from "./workplace.js";
import type { Workplace } from "./workplace.js";

const rounds = 3;
const calls = 2_000_000;
/** Why fewer: BCC and older bpftrace take many times as long a call. */
const peerCalls = 500_000;

/** Measures the trace command as a person runs it, output to a file. */
export async function measureLines(workplace: Workplace): Promise<Section> {
  const printed: Printed[] = [];
  const lost: number[] = [];
  const measured = await interleave(rounds, {
    empty: () => callTraced(workplace, emptyProgram, calls),
    uscope: async () => {
      const trace = await printByUscope(workplace);
      printed.push(trace);
      lost.push(trace.lost);
      return trace.cost;
    },
  });
  const value = ratioOf(measured.uscope, measured.empty);
  const most = Math.max(...lost);
  const fewest = Math.min(...printed.map(({ lines }) => lines));
  return {
    title: "A line for each call",
    rows: [
      { what: "empty program", measured: `${medianOf(measured.empty).toFixed(0)} ns/call` },
      {
        what: `uscope trace './loop:g "%d", arg1' -- ./loop ${calls} g > file`,
        measured: `${medianOf(measured.uscope).toFixed(0)} ns/call`,
        ratio: { value, of: "empty" },
        bar: atMost(2, value),
      },
      {
        what: "  lines in the file, events lost (worst round)",
        measured: `${count(fewest)} of ${count(calls)}, ${count(most)} lost`,
        bar: { text: "0 lost", held: most === 0 && fewest === calls },
      },
      ...(await measurePeers(workplace, medianOf(measured.empty))),
    ],
    notes: [
      `medians of ${rounds} interleaved rounds; each line has pid, tid, comm, function and argument; bpftrace and BCC once, with ${count(peerCalls)} calls`,
    ],
  };
}

async function printByUscope(workplace: Workplace): Promise<Printed & { readonly lost: number }> {
  const path = join(workplace.folder, "lines");
  const out = openSync(path, "w+");
  try {
    const words = ["trace", `${workplace.loop}:g "%d", arg1`, "--", workplace.loop, String(calls), "g"];
    const { stderr } = await run(uscope[0], [uscope[1], ...words], out);
    const { lines, text } = readLines(out, / loop +g +\d+$/, / ns\/call$/);
    return { cost: readCost(text), lines, lost: Number(/(\d+) lost/.exec(stderr)?.[1] ?? 0) };
  } finally {
    closeSync(out);
  }
}

/** Reads a large file line by line: counts the lines of one form, and keeps the last of another. */
function readLines(
  fd: number,
  counted: RegExp,
  kept: RegExp,
): { readonly lines: number; readonly text: string } {
  const piece = Buffer.alloc(1 << 20);
  let rest = "";
  let lines = 0;
  let text = "";
  for (let at = 0, length = 0; (length = readSync(fd, piece, 0, piece.length, at)) > 0; at += length) {
    const all = (rest + piece.toString("latin1", 0, length)).split("\n");
    rest = all.pop() ?? "";
    for (const line of all) {
      if (counted.test(line)) lines++;
      else if (kept.test(line)) text = line;
    }
  }
  return { lines, text };
}

async function measurePeers(workplace: Workplace, empty: number): Promise<Row[]> {
  const peers = findPeers();
  const rowOf = (name: string, answer: Printed | string): Row =>
    typeof answer === "string"
      ? { what: `${name}, printing the same`, measured: `does not start: ${answer}` }
      : {
          what: `${name}, printing the same`,
          measured: `${answer.cost.toFixed(0)} ns/call, ${count(answer.lines)} of ${count(peerCalls)} lines`,
          ratio: { value: answer.cost / empty, of: "empty" },
        };
  return [
    peers.bpftrace ? rowOf("bpftrace", await printByBpftrace(workplace, peerCalls)) : absent("bpftrace"),
    peers.bcc ? rowOf("BCC trace", await printByBcc(workplace, peerCalls)) : absent("BCC trace"),
  ];
}

function absent(name: string): Row {
  return { what: `${name}, printing the same`, measured: "not installed" };
}

function count(number: number): string {
  return number.toLocaleString("en");
}
