/**
 * Owns programs in the kernel: loading one from its spec, and what the kernel says about a loaded one.
 * Does not own attaching (uprobes.ts) nor the reading of the verifier's log (verifier.ts).
 */
import { assert } from "../base/assert.js";
import { encode } from "../bpf/encode.js";
import type { ProgramSpec } from "../bpf/spec.js";
import { errno } from "./errno.js";
import { kernelError } from "./hints.js";
import { attachTypes, objectInfo, programLoad } from "./layouts.js";
import type { KernelMap } from "./maps.js";
import { attemptBpf, bpf, closeDescriptor } from "./syscalls.js";
import { verifierError } from "./verifier.js";

/** A program in the kernel; lives until it is disposed and no link uses it. */
export interface KernelProgram extends Disposable {
  readonly name: string;
  readonly fd: number;
  /** Loaded for uprobe_multi links; otherwise for the uprobe PMU. The kernel does not let one serve both. */
  readonly multi: boolean;
  /** The verifier's totals, when they were asked for: instructions, states, stack depth. */
  readonly statistics: string | undefined;
}

/** How a program is to be loaded. */
export interface LoadOptions {
  readonly multi: boolean;
  /** Asks the verifier for its totals, for `-v`. */
  readonly statistics?: boolean;
}

/** What the kernel says about a loaded program. */
export interface ProgramReport {
  readonly id: number;
  readonly name: string;
  /** Kernel: hits that were skipped because another program ran on that CPU (PMU path before 6.0). Since 5.12. */
  readonly recursionMisses: bigint;
  /** Instructions that the verifier walked through. Since 5.16. */
  readonly verifiedInstructions: number;
}

/** Loads a program. Throws a VerifierError with its place in the text when the verifier refuses, else a KernelError. */
export function loadProgram(
  spec: ProgramSpec,
  maps: ReadonlyMap<string, KernelMap>,
  options: LoadOptions,
): KernelProgram {
  const instructions = encode(spec.instructions, (name) => {
    const map = maps.get(name);
    assert(map !== undefined, `program ${spec.name} names a map ${name} that was not made`);
    return map.fd;
  });
  const statistics =
    options.statistics === true ? { level: logLevels.totals, buffer: new Uint8Array(4096) } : undefined;
  const attempt = (log: { level: number; buffer: Uint8Array } | undefined): number =>
    attemptBpf(
      programLoad({
        name: spec.name,
        instructions,
        license: spec.license,
        sleepable: spec.sleepable,
        attachType: options.multi ? attachTypes.uprobeMulti : 0,
        log,
      }),
    );
  const fd = attempt(statistics);
  if (fd < 0) throw explainRefusal(spec, attempt, -fd);
  return openProgram(
    spec.name,
    fd,
    options.multi,
    statistics === undefined ? undefined : readText(statistics.buffer),
  );
}

/** Asks the kernel about a loaded program. */
export function readProgram(program: KernelProgram): ProgramReport {
  // Spec: struct bpf_prog_info: 4 id, 64 name[16], 208 recursion_misses, 216 verified_insns.
  const answer = new Uint8Array(224);
  bpf(objectInfo(program.fd, answer), `program ${program.name}`);
  const view = new DataView(answer.buffer);
  return {
    id: view.getUint32(4, true),
    name: readText(answer.subarray(64, 80)),
    recursionMisses: view.getBigUint64(208, true),
    verifiedInstructions: view.getUint32(216, true),
  };
}

// Verifier: log_level is a set of bits (1 the last way through, 2 every way, 4 totals only, since 5.2).
const logLevels = { why: 1, totals: 4 } as const;

/** Kernel: before 5.19 a log of 16 MiB or more is refused. */
const logSizes = [64 * 1024, 1024 * 1024, 16 * 1024 * 1024 - 1] as const;

type Attempt = (log: { level: number; buffer: Uint8Array }) => number;

/** Loads again with a log. A refusal that leaves no log did not come from the verifier. */
function explainRefusal(spec: ProgramSpec, attempt: Attempt, refused: number): Error {
  for (const size of logSizes) {
    const buffer = new Uint8Array(size);
    const result = attempt({ level: logLevels.why, buffer });
    if (result >= 0) {
      closeDescriptor(result);
      break;
    }
    const isLast = size === logSizes.at(-1);
    if (result === -errno.ENOSPC && !isLast) continue;
    const log = readText(buffer);
    if (log.trim() !== "") return verifierError(spec, refused, log);
    break;
  }
  return kernelError("bpf BPF_PROG_LOAD", refused, `program ${spec.name}`);
}

function openProgram(
  name: string,
  fd: number,
  multi: boolean,
  statistics: string | undefined,
): KernelProgram {
  let closed = false;
  return {
    name,
    fd,
    multi,
    statistics,
    [Symbol.dispose]() {
      if (closed) return;
      closed = true;
      closeDescriptor(fd);
    },
  };
}

function readText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end)).trimEnd();
}
