import { describe, expect, test } from "vitest";
import { VerifierError } from "../../src/base/errors.js";
import {
  alu,
  call,
  exit,
  jump,
  jumpIf,
  label,
  load,
  loadConstant,
  loadMap,
  mov,
} from "../../src/bpf/build.js";
import type { Line } from "../../src/bpf/build.js";
import { createMap } from "../../src/kernel/maps.js";
import { loadProgram, readProgram } from "../../src/kernel/programs.js";
import { parseLog } from "../../src/kernel/verifier.js";
import { needs } from "../support/kernel.js";
import { emptyProgram, program, ringMap } from "./programs.js";

const source = 'redis-server:createObject "%d", *arg2';

describe.runIf(needs("ring buffer"))("the verifier", () => {
  test("accepts an empty program, and tells its totals when asked", () => {
    using loaded = loadProgram(emptyProgram(), new Map(), { multi: false, statistics: true });
    expect(loaded.statistics).toMatch(/^verification time[^]*processed 2 insns/);
    expect(readProgram(loaded)).toMatchObject({
      name: "empty",
      verifiedInstructions: 2,
      recursionMisses: 0n,
    });
    using plain = loadProgram(emptyProgram(), new Map(), { multi: false });
    expect(plain.statistics).toBeUndefined();
  });

  test("refusing a program is explained with the place in the author's text", () => {
    // The wide instruction takes two slots, so slot and index differ.
    const lines: Line[] = [
      loadConstant(3, 0x123456789abcn),
      { kind: "place", span: { start: 32, end: 37 } },
      load(8, 1, 3, 0),
      { kind: "place", span: { start: 0, end: 12 } },
      mov(0, 0n),
      exit(),
    ];
    const error = refusalOf(lines);
    expect(error.message).toBe(
      [
        "the kernel's verifier refused the program: memory is read through a value that is not known to be an address (EACCES)",
        "  at: program refused, instruction 2: r1 = *(u64 *)(r3 +0)",
        "    verifier: R3 invalid mem access 'scalar'",
        '    redis-server:createObject "%d", *arg2',
        "                                    ^^^^^",
        "  fix: this is a fault of uscope: report it with the output of -v",
      ].join("\n"),
    );
    expect(error.log).toContain("processed 2 insns");
  });

  const loop = label("loop");
  const over = label("over");
  test.each<[string, readonly Line[], RegExp]>([
    ["a register never written", [mov(0, 5), exit()], /a register is read that nothing was written to/],
    [
      "an endless loop",
      [load(8, 6, 1, 112), mov(0, 0n), loop, jumpIf("ne", 6, 0n, loop), exit()],
      /a loop may never end/,
    ],
    ["code that cannot run", [mov(0, 0n), jump(over), mov(0, 1n), over, exit()], /can never run/],
    ["too much stack", [mov(0, 0n), load(8, 0, 10, -520), exit()], /512 bytes of stack/],
    ["a helper for sleepable programs", [call("copy_from_user"), exit()], /something that may sleep/],
    ["context out of bounds", [load(8, 0, 1, 4096), exit()], /outside of what the program was given/],
    [
      "an event neither sent nor given back",
      [loadMap(1, "events"), mov(2, 8n), mov(3, 0n), call("ringbuf_reserve"), mov(0, 0n), exit()],
      /neither sent nor given back/,
    ],
    [
      "an event used without looking whether there is one",
      [loadMap(1, "events"), mov(2, 8n), mov(3, 0n), call("ringbuf_reserve"), load(8, 1, 0, 0), exit()],
      /not known to be an address/,
    ],
    [
      "a length without a bound",
      [
        mov(6, 1),
        load(8, 2, 6, 112),
        mov(1, 10),
        alu("add", 1, -64n),
        mov(3, 0n),
        call("probe_read_user"),
        mov(0, 0n),
        exit(),
      ],
      /not known to stay within its bounds/,
    ],
  ])("refusing %s is put in plain words", (_, lines, words) => {
    expect(refusalOf(lines).what).toMatch(words);
  });

  test("refusing after a long way keeps the end of the log", () => {
    const lines: Line[] = [mov(6, 1), load(8, 7, 6, 112), mov(0, 0n)];
    for (let index = 0; index < 3000; index++) {
      const next = label("next");
      lines.push(jumpIf("eq", 7, BigInt(index), next), alu("add", 0, 1n), next);
    }
    const error = refusalOf([...lines, load(8, 0, 10, -520), exit()]);
    expect(error.what).toContain("512 bytes of stack");
  });
});

test("a log of an older kernel is read as well", () => {
  const log = [
    "func#0 @0",
    "0: R1=ctx(id=0,off=0,imm=0) R10=fp0",
    "0: (79) r3 = *(u64 *)(r1 +104)",
    "1: (79) r1 = *(u64 *)(r3 +0)",
    "R3 invalid mem access 'inv'",
    "processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0",
    "\0",
  ].join("\n");
  expect(parseLog(log)).toEqual({
    slot: 1,
    instruction: "r1 = *(u64 *)(r3 +0)",
    words: "R3 invalid mem access 'inv'",
  });
});

function refusalOf(lines: readonly Line[]): VerifierError {
  using events = createMap(ringMap(4096));
  try {
    using _loaded = loadProgram(program("refused", lines, source), new Map([["events", events]]), {
      multi: false,
    });
  } catch (error) {
    if (error instanceof VerifierError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
