import { describe, expect, test } from "vitest";
import { assemble } from "../../src/bpf/assemble.js";
import {
  alu,
  atomicAdd,
  call,
  exit,
  jump,
  jumpIf,
  label,
  load,
  loadConstant,
  loadMap,
  loadMapValue,
  mov,
  mov32,
  store,
  storeImmediate,
} from "../../src/bpf/build.js";
import type { Line } from "../../src/bpf/build.js";
import { encode } from "../../src/bpf/encode.js";
import { askVerifier, canAskKernel } from "../support/bpf-object.js";
import { Refused } from "../support/interpreter.js";
import { callWith, ended, run } from "./programs.js";

const reserved = callWith("ringbuf_reserve", "events", 16n, 0n);

describe("what the interpreter refuses, as the verifier does", () => {
  const isAsked = canAskKernel();
  const out = label("out");
  const loop = label("loop");

  // Without maps: the kernel must refuse the same programs.
  test.each<[string, readonly Line[], RegExp]>([
    ["a register that holds nothing", ended([mov(2, 3)]), /r3 holds nothing/],
    ["r1 after a call", ended([call("get_current_pid_tgid"), mov(2, 1)]), /r1 holds nothing/],
    ["r5 after a call", ended([mov(5, 1n), call("get_current_pid_tgid"), mov(2, 5)]), /r5 holds nothing/],
    ["an exit without a result", [exit()], /r0 holds nothing/],
    ["no exit at the end", [mov(0, 0n)], /slot 1 is reached/],
    [
      "an instruction that nothing reaches",
      [mov(0, 0n), jump(out), mov(0, 1n), out, exit()],
      /slot 2 is never reached/,
    ],
    ["a loop without end", [mov(0, 0n), loop, jump(loop), exit()].slice(0, 3), /does not end/],
    ["writing the frame pointer", ended([mov(10, 1n)]), /frame pointer is written/],
    ["below the stack", ended([storeImmediate(8, 10, -520, 0n)]), /out of bounds/],
    ["above the stack", ended([storeImmediate(8, 10, 0, 0n)]), /out of bounds/],
    [
      "a jump behind the end",
      [mov(0, 0n), { ...mov(0, 0n), opcode: 0x05, offset: 5 }, exit()],
      /slot 7 is reached/,
    ],
    [
      "a jump into a 64-bit constant",
      [mov(0, 0n), { ...mov(0, 0n), opcode: 0x15, offset: 1 }, loadConstant(1, 1n << 40n), exit()],
      /slot 3 is reached/,
    ],
    [
      "an unaligned atomic access",
      ended([
        storeImmediate(8, 10, -8, 0n),
        storeImmediate(8, 10, -16, 0n),
        mov(1, 1n),
        atomicAdd(8, 10, -12, 1),
      ]),
      /not aligned/,
    ],
    ["a moved context pointer", ended([alu("add", 1, 8n), load(8, 3, 1, 0)]), /changed context/],
    ["an unaligned stack access", ended([storeImmediate(8, 10, -12, 0n)]), /not aligned/],
    ["part of a saved pointer", ended([store(8, 10, -8, 1), load(4, 2, 10, -8)]), /part of a saved pointer/],
    [
      "saving part of a pointer",
      ended([storeImmediate(8, 10, -8, 0n), store(4, 10, -8, 1), load(8, 2, 10, -8), load(1, 3, 2, 0)]),
      /part of a pointer/,
    ],
    ["a number as pointer", ended([mov(2, 64n), load(8, 3, 2, 0)]), /the number 64/],
    ["null as pointer", ended([mov(2, 0n), load(8, 3, 2, 0)]), /a null pointer/],
    ["writing the context", ended([storeImmediate(8, 1, 0, 0n)]), /the context is written/],
    ["beyond the context", ended([load(8, 2, 1, 168)]), /out of bounds/],
    ["an unaligned context access", ended([load(8, 2, 1, 4)]), /not aligned/],
    ["a pointer multiplied", ended([alu("mul", 1, 2n), load(1, 2, 1, 0)]), /pointer in arithmetic/],
    ["half a pointer moved", ended([mov32(2, 1), load(1, 3, 2, 0)]), /part of a pointer/],
    ["division by the constant zero", ended([mov(2, 1n), alu("div", 2, 0n)]), /constant zero/],
    ["a constant shift of 64", ended([mov(2, 1n), alu("lsh", 2, 64n)]), /shift by the constant 64/],
    [
      "a helper's argument missing",
      ended([mov(1, 10), alu("add", 1, -8n), mov(2, 8n), call("probe_read_user")]),
      /r3 holds nothing/,
    ],
    [
      "a helper writing beyond the stack",
      ended(callWith("probe_read_user", [10, -8], 16n, 0n)),
      /out of bounds/,
    ],
    [
      "a helper writing over the context",
      ended([mov(6, 1), ...callWith("probe_read_user", [6, 0], 8n, 0n)]),
      /context is written/,
    ],
    [
      "a cookie of something else",
      ended(callWith("get_attach_cookie", [10, -8])),
      /does not hold the context/,
    ],
    ["a size that is negative", ended(callWith("probe_read_user", [10, -8], -8n, 0n)), /holds a size/],
    ["a helper that sleeps", ended(callWith("copy_from_user", [10, -8], 8n, 0n)), /may sleep/],
    ["an unknown helper", ended([{ ...call("ktime_get_ns"), imm: 9999 }]), /no helper 9999/],
    ["reserved fields in use", ended([{ ...mov(2, 1n), offset: 8 }]), /unknown instruction/],
  ])("%s", (_, lines, reason) => {
    expect(() => run(lines, { limit: 1000 })).toThrow(reason);
    expect(() => run(lines, { limit: 1000 })).toThrow(Refused);
    if (!isAsked) return;
    // The oracle: this kernel refuses the same program.
    const { loaded, log } = askVerifier(encode(assemble(lines).instructions), "uprobe");
    expect(loaded, log).toBe(false);
  });

  const found = callWith("map_lookup_elem", "counters", [10, -4]);
  const index: Line = storeImmediate(4, 10, -4, 0n);
  test.each<[string, readonly Line[], RegExp]>([
    // Verifier: since 6.3 privileged programs may read it; nobody can use what they get.
    [
      "reading the stack before writing it",
      ended([load(8, 2, 10, -8)]),
      /before it was written: the stack, bytes -8 to -8/,
    ],
    ["a value found, not compared with zero", ended([index, ...found, load(8, 1, 0, 0)]), /may be null/],
    [
      "a value found, moved before it is compared",
      ended([index, ...found, alu("add", 0, 8n), jumpIf("eq", 0, 0n, out), out]),
      /may be null and is moved/,
    ],
    [
      "a value not found, used",
      ended([storeImmediate(4, 10, -4, 7n), ...found, load(8, 1, 0, 0)]),
      /a null pointer/,
    ],
    [
      "a value found, compared with a number",
      ended([index, ...found, jumpIf("eq", 0, 5n, out), out]),
      /more than zero/,
    ],
    [
      "a value found, compared in its low half",
      ended([index, ...found, jumpIf("eq", 0, 0n, out, 32), out]),
      /more than zero/,
    ],
    [
      "beyond a value",
      [index, ...found, jumpIf("eq", 0, 0n, out), load(8, 1, 0, 8), out, mov(0, 0n), exit()],
      /out of bounds/,
    ],
    ["a key not written", ended(found), /before it was written/],
    ["a key of a saved pointer", ended([mov(6, 1), store(8, 10, -8, 6), ...found]), /saved pointer is given/],
    [
      "a record kept",
      [...reserved, jumpIf("eq", 0, 0n, out), out, mov(0, 0n), exit()],
      /neither submitted nor discarded/,
    ],
    ["a record kept, its pointer lost", ended(reserved), /neither submitted nor discarded/],
    ["a record written without a test", ended([...reserved, storeImmediate(8, 0, 0, 1n)]), /may be null/],
    [
      "a record submitted without a test",
      ended([...reserved, mov(1, 0), mov(2, 0n), call("ringbuf_submit")]),
      /may be null/,
    ],
    [
      "a record submitted by its middle",
      tested([alu("add", 6, 8n), mov(1, 6), mov(2, 0n), call("ringbuf_submit")]),
      /its middle/,
    ],
    [
      "a record used after it was submitted",
      tested([mov(1, 6), mov(2, 0n), call("ringbuf_submit"), load(8, 1, 6, 0)]),
      /given back already/,
    ],
    [
      "a record submitted twice",
      tested([mov(1, 6), mov(2, 0n), call("ringbuf_submit"), mov(1, 6), mov(2, 0n), call("ringbuf_submit")]),
      /given back twice/,
    ],
    ["beyond a record", tested([storeImmediate(4, 6, 14, 0n)]), /out of bounds/],
    ["a pointer in a record", tested([store(8, 6, 0, 10)]), /a pointer leaks/],
    ["a map read as memory", ended([loadMap(1, "settings"), load(8, 2, 1, 0)]), /the map "settings" itself/],
    ["a map that is not there", ended([loadMap(1, "nothing")]), /no map "nothing"/],
    [
      "a ring buffer looked up",
      ended([index, ...callWith("map_lookup_elem", "events", [10, -4])]),
      /no keys for programs/,
    ],
    ["a table as ring buffer", ended(callWith("ringbuf_reserve", "pids", 16n, 0n)), /no ring buffer/],
    ["the direct address of a percpu array", ended([loadMapValue(1, "counters")]), /no fixed address/],
    ["a pointer as result", [mov(0, 10), exit()], /r0 holds a pointer/],
  ])("%s", (_, lines, reason) => {
    expect(() => run(lines)).toThrow(reason);
  });
});

/** Runs lines with a record of 16 bytes in r6. */
function tested(lines: readonly Line[]): Line[] {
  const empty = label("empty");
  return [...reserved, jumpIf("eq", 0, 0n, empty), mov(6, 0), ...lines, empty, mov(0, 0n), exit()];
}
