/**
 * Owns the reading of the verifier's log: which instruction it stopped at, why in plain words, and where that stands in
 * the probe's text. Does not own loading, which is programs.ts.
 */
import { VerifierError, printCaret } from "../base/errors.js";
import type { Span } from "../base/errors.js";
import type { ProgramSpec } from "../bpf/spec.js";
import { describeErrno } from "./errno.js";

/** What the verifier said in the end. */
export interface Refusal {
  /** The slot of the last instruction that it looked at; wide instructions take two slots. */
  readonly slot: number | undefined;
  /** That instruction as the log shows it. */
  readonly instruction: string | undefined;
  /** The log's own last words. */
  readonly words: string;
}

/** Makes the error of a program that the verifier refused. */
export function verifierError(program: ProgramSpec, number: number, log: string): VerifierError {
  const refusal = parseLog(log);
  const reason = reasons.find((row) => row.words.test(refusal.words));
  const index = refusal.slot === undefined ? undefined : indexOfSlot(program, refusal.slot);
  const place = index === undefined ? undefined : placeOf(program, index);
  const { name } = describeErrno(number);
  return new VerifierError({
    what: `the kernel's verifier refused the program: ${reason?.what ?? refusal.words} (${name})`,
    at: [
      `program ${program.name}${refusal.slot === undefined ? "" : `, instruction ${refusal.slot}: ${refusal.instruction}`}`,
      ...(reason === undefined || refusal.words === "" ? [] : [`    verifier: ${refusal.words}`]),
      ...(place === undefined ? [] : [printCaret(program.source, place)]),
    ].join("\n"),
    fix: reason?.fix ?? "simplify the expression; the verifier's whole log: add -v",
    log,
  });
}

/** Finds the last instruction and the verdict in a log of level 1. */
export function parseLog(log: string): Refusal {
  const lines = log.replaceAll("\0", "").trimEnd().split("\n");
  let slot: number | undefined;
  let instruction: string | undefined;
  let words: string[] = [];
  for (const line of lines) {
    const step = /^(\d+): \([0-9a-f]{2}\) ([^;]*)/.exec(line);
    if (step !== null) {
      slot = Number(step[1]);
      instruction = step[2]!.trim();
      words = [];
    } else if (!isNarration(line)) {
      words.push(line.trim());
    }
  }
  const named = /\binsn (\d+)\b/.exec(words[0] ?? "")?.[1];
  if (named !== undefined && slot === undefined) slot = Number(named);
  return { slot, instruction, words: words[0] ?? "" };
}

/** Lines that tell the verifier's way (register states, totals) and not its verdict. */
function isNarration(line: string): boolean {
  return (
    line.trim() === "" ||
    /^(;|\d+: ?R|R\d+(_w)?=|from \d+ to|processed \d+|verification time|stack depth|insns processed|mark_precise|last_idx|regs=|parent |propagating|func#|\d+: ?$|\d+: safe|safe$|max_states)/.test(
      line.trim(),
    )
  );
}

function indexOfSlot(program: ProgramSpec, wanted: number): number | undefined {
  const lddw = 0x18;
  let slot = 0;
  for (const [index, instruction] of program.instructions.entries()) {
    const next = slot + (instruction.opcode === lddw ? 2 : 1);
    if (wanted < next) return index;
    slot = next;
  }
  return undefined;
}

/** The place of an instruction, or of the nearest one before it that has one. */
function placeOf(program: ProgramSpec, index: number): Span | undefined {
  for (let before = index; before >= 0; before--) {
    const place = program.places[before];
    if (place !== undefined) return place;
  }
  return undefined;
}

interface Reason {
  readonly words: RegExp;
  readonly what: string;
  readonly fix: string;
}

const ownFault = "this is a fault of uscope: report it with the output of -v";

// Verifier: the sentences stand in kernel/bpf/verifier.c; older kernels say `inv` where newer say `scalar`.
const reasons: readonly Reason[] = [
  {
    words: /invalid mem access '(scalar|inv|mem_or_null|map_value_or_null|ringbuf_mem_or_null)/,
    what: "memory is read through a value that is not known to be an address",
    fix: ownFault,
  },
  { words: /!read_ok/, what: "a register is read that nothing was written to", fix: ownFault },
  {
    words: /(infinite loop detected|back-edge from insn)/,
    what: "a loop may never end",
    fix: "use loops with a constant bound only",
  },
  { words: /unreachable insn/, what: "a part of the program can never run", fix: ownFault },
  {
    words: /(BPF program is too large|too many states|jumps is too complex)/,
    what: "the program has too many ways through it to be checked",
    fix: "split the predicate, or the probe, into several shorter ones",
  },
  {
    words: /combined stack size|stack depth|invalid (indirect )?(write|read) (to|from) stack|invalid stack/i,
    what: "the program needs more than the 512 bytes of stack, or reads them before writing",
    fix: "use fewer values, or shorter text (-Z)",
  },
  {
    words: /(unknown func|invalid func|cannot use helper|program of this type cannot use helper)/,
    what: "this kernel has no such helper for uprobe programs",
    fix: "what this kernel has and since when: uscope doctor",
  },
  {
    words: /(helper call might sleep|in (non-)?sleepable|Sleepable programs can only use)/i,
    what: "something that may sleep is used where that is not allowed, or the other way round",
    fix: ownFault,
  },
  {
    words: /(Unreleased reference|reference has not been acquired)/,
    what: "a reserved event is neither sent nor given back on some way through the program",
    fix: ownFault,
  },
  {
    words:
      /(invalid access to (map value|memory|ctx|context)|invalid bpf_context access|outside of the allowed memory range)/,
    what: "memory is touched outside of what the program was given",
    fix: ownFault,
  },
  {
    words: /(unbounded memory access|min value is negative|max value is outside)/,
    what: "a length or index is not known to stay within its bounds",
    fix: "bound the length first, for example with & 63",
  },
  {
    words: /(unknown opcode|uses reserved fields|BPF_(ALU|LDX|STX|MOV|JMP)\S* .*reserved)/,
    what: "this kernel does not know an instruction of the program",
    fix: "signed division and sign extension need Linux 6.6; what this kernel has: uscope doctor",
  },
  {
    words: /(R\d+ type=\S+ expected=)/,
    what: "a helper is given a value of another kind than it wants",
    fix: ownFault,
  },
  {
    words: /(last insn is not an exit or jmp|jump out of range|invalid BPF_LD_IMM)/,
    what: "the program is not well formed",
    fix: ownFault,
  },
  {
    words: /GPL/,
    what: "a helper is used that asks for a GPL-compatible licence",
    fix: ownFault,
  },
];
