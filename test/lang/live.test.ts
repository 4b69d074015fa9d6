import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CompileOptions } from "../../src/lang/compile.js";
import { createMap, sumPerCpu } from "../../src/kernel/maps.js";
import { loadProgram } from "../../src/kernel/programs.js";
import { openRingBuffer } from "../../src/kernel/ringbuffer.js";
import { attachMulti } from "../../src/kernel/uprobes.js";
import { messagePrinter } from "../../src/trace/message.js";
import { printBytes } from "../../src/trace/text.js";
import { converse, fileOffsetOf, needs } from "../support/kernel.js";
import { compile as build } from "../support/programs.js";
import { compile } from "./support.js";

const binary = build("values.c", ["-O1", "-Wall"]);

describe.runIf(needs("ring buffer", "attach cookie", "uprobe_multi", "sleepable programs"))(
  "on the real kernel",
  () => {
    const all = "x:watch(int a, unsigned b, char *text, long *numbers, short e, char f, long g, long h)";

    it("values of registers, stack and memory arrive as C sees them", async () => {
      const { lines } = await trace(`${all} "%d %u %hd %c %ld %ld %d", a, b, e, f, g, h, a < b`);
      // C: -5 is a large number where it meets an unsigned one.
      expect(lines).toEqual([
        "-5 4000000000 -3 c 77 88 0",
        "1 0 3 d -77 -88 0",
        "2 3 3 \\n 0 0 1",
        "3 3 3 \\x1b 1 2 0",
      ]);
    });

    it("memory that cannot be read is a fault, not a value", async () => {
      for (const sleepable of [false, true]) {
        const { lines, counts } = await trace(
          `${all} "%ld %ld %d", numbers[0], *(numbers + 1), (int)numbers[2]`,
          { sleepable },
        );
        expect(lines).toEqual([
          "-1 1099511627776 7",
          "<fault> <fault> <fault>",
          "<fault> <fault> <fault>",
          "-1 1099511627776 7",
        ]);
        expect(counts).toEqual([4n, 0n, 6n, 0n]);
      }
    });

    it("text is whole, cut or missing", async () => {
      const { lines, counts } = await trace(`${all} "[%s] [%.*s]", text, 3, text`, {
        sleepable: true,
        textLimit: 9,
      });
      expect(lines).toEqual([
        "[plain tex...] [pla]",
        "[(null)] [(null)]",
        "[end] [end]",
        "[across th...] [acr]",
      ]);
      expect(counts).toEqual([4n, 0n, 0n, 0n]);
    });

    it("text on pages that were not touched needs a program that may sleep", async () => {
      const source = `${all} (a == 3) "%s", text`;
      expect((await trace(source, { sleepable: false })).lines).toEqual(["<fault>"]);
      expect((await trace(source, { sleepable: true })).lines).toEqual(["across the border"]);
    });

    it("text is compared exactly", async () => {
      for (const [literal, wanted] of [
        ["end", 1],
        ["en", 0],
        ["end ", 0],
        ["across the border", 1],
        ["plain text", 1],
        ["", 0],
      ] as const) {
        const { lines, counts } = await trace(`${all} (STRCMP("${literal}", text)) "%d", a`, {
          sleepable: true,
        });
        expect(lines.length, literal).toBe(wanted);
        expect(counts).toEqual([4n, 0n, 0n, BigInt(4 - wanted)]);
      }
    });

    it("a return value is signed where the author says so", async () => {
      const { lines } = await trace('r:x:watch ((long)retval <= 0) "%ld", retval');
      expect(lines).toEqual(["-4000000005", "-1", "0"]);
    });

    it("division by zero is a fault", async () => {
      const { lines } = await trace(`${all} "%d %u", (int)b / (e - 3), 100u / b`);
      expect(lines).toEqual(["49161216 0", "<fault> <fault>", "<fault> 33", "<fault> 33"]);
    });
  },
);

interface Traced {
  readonly lines: string[];
  /** hits, lost, faults, filtered */
  readonly counts: bigint[];
}

/** Traces the four calls of a fresh process. */
async function trace(source: string, options: Partial<CompileOptions> = {}): Promise<Traced> {
  await using target = converse(binary, [join(tmpdir(), `uscope-untouched-${process.pid}`)]);
  await target.line();
  const probe = compile(source, { ...options, filter: { pids: [target.child.pid!] } });
  const maps = new Map(probe.maps.map((spec) => [spec.name, createMap(spec)]));
  try {
    using program = loadProgram(probe.programs[0]!, maps, { multi: true });
    using ring = openRingBuffer(maps.get("events")!);
    using _link = attachMulti({
      program,
      openPath: binary,
      shownPath: binary,
      sites: [{ offset: fileOffsetOf(binary, "watch"), semaphore: undefined, cookie: 0 }],
      returns: source.startsWith("r:"),
      pid: undefined,
    });
    target.say("");
    await target.line();
    const print = messagePrinter(probe.template!, probe.event, printBytes, (_pid, address) => `${address}`);
    const lines: string[] = [];
    ring.read((start, length) => {
      const bytes = Buffer.from(ring.bytes.slice(start, start + length));
      lines.push(print({ bytes, view: new DataView(bytes.buffer, bytes.byteOffset), at: 0 }));
    });
    const counters = maps.get("counters")!;
    return { lines, counts: sumPerCpu(counters.splitPerCpu(counters.lookup(new Uint8Array(4))!)) };
  } finally {
    for (const map of maps.values()) map[Symbol.dispose]();
  }
}
