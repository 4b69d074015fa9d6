/**
 * Owns writing lines to a descriptor in large pieces, and notices when nobody reads any more.
 * Does not own what is written.
 */
import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { KernelError } from "../base/errors.js";
import { describeErrno } from "../kernel/errno.js";

/** Characters gathered before they are written. */
const pieceLength = 1 << 16;

export interface OutputStyle {
  /** latin1 writes each character as one byte: for text that was read as raw bytes. */
  readonly encoding?: "utf8" | "latin1";
  /** What is done with text that a full pipe does not take: the write waits, or the text is kept until it does. */
  readonly whenFull?: "wait" | "keep";
}

export class Output {
  /** The reader has gone (`| head`): nothing more can be written. */
  closed = false;

  /** As the caller names it, and where writes go. */
  readonly #descriptor: number;
  readonly #target: number;
  readonly #encoding: "utf8" | "latin1";
  /** Never waits in a write: what a full pipe does not take is kept until it does. */
  readonly #isPatient: boolean;
  #pending = "";
  /** Bytes that were refused for now. */
  #rest: Uint8Array = new Uint8Array(0);
  /** Why kept: a new buffer a piece is memory outside of the heap that waits for a collection. */
  readonly #bytes = Buffer.allocUnsafe(4 * pieceLength);

  constructor(descriptor: number, { encoding = "utf8", whenFull = "wait" }: OutputStyle = {}) {
    this.#descriptor = descriptor;
    this.#isPatient = whenFull === "keep";
    this.#target = this.#isPatient ? reopen(descriptor) : descriptor;
    this.#encoding = encoding;
  }

  write(text: string): void {
    this.#pending += text;
    if (this.#pending.length >= pieceLength && this.#rest.length === 0) this.flush();
  }

  /** Writes bytes behind what is pending; the caller may use them again at once. */
  writeBytes(bytes: Uint8Array): void {
    this.flush();
    this.#rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : this.#writeAll(bytes).slice();
  }

  /** Writes what is pending, and says whether all of it is written. */
  flush(): boolean {
    if (this.closed) return true;
    if (this.#rest.length > 0) {
      this.#rest = this.#writeAll(this.#rest).slice();
      if (this.#rest.length > 0) return false;
    }
    if (this.#pending === "") return true;
    const bytes = this.#encode(this.#pending);
    this.#pending = "";
    this.#rest = this.#writeAll(bytes).slice();
    return this.#rest.length === 0;
  }

  /**
   * Fulfilled when all is written, nobody reads any more, or the signal is aborted. Why whoever makes events waits for it:
   * memory stays flat however slow the reader is; what the reader cannot take fills the ring buffer, and counts there as lost.
   */
  async drained(signal: AbortSignal): Promise<void> {
    while (!this.flush() && !this.closed && !signal.aborted) await sleep(5);
  }

  /** Returns what could not be written now. */
  #writeAll(bytes: Uint8Array): Uint8Array {
    let at = 0;
    while (at < bytes.length && !this.closed) {
      const count = this.#writeSome(bytes, at);
      if (count === 0 && this.#isPatient) break;
      at += count;
    }
    return this.closed ? new Uint8Array(0) : bytes.subarray(at);
  }

  #encode(text: string): Uint8Array {
    // Spec: UTF-8 takes at most three bytes for each UTF-16 code unit.
    if (text.length * 3 > this.#bytes.length) return Buffer.from(text, this.#encoding);
    return this.#bytes.subarray(0, this.#bytes.write(text, this.#encoding));
  }

  #writeSome(bytes: Uint8Array, at: number): number {
    try {
      return writeSync(this.#target, bytes, at);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      // Why stderr too: remarks that cannot be written must not end a trace whose events can.
      if (code === "EPIPE" || (code !== "EAGAIN" && this.#descriptor === 2)) {
        this.closed = true;
        return 0;
      }
      // Why: a pipe that another program made non-blocking is full; its reader is only slow.
      if (code !== "EAGAIN") throw unwritable(this.#descriptor, error);
      if (!this.#isPatient) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      return 0;
    }
  }
}

/**
 * Opens a pipe or terminal once more, for writes that never wait. Why not O_NONBLOCK on the descriptor itself: it is shared
 * with the shell and every program that writes there. A file never waits; opened anew it would begin at its start.
 */
function reopen(descriptor: number): number {
  try {
    const status = fstatSync(descriptor);
    if (!status.isFIFO() && !status.isCharacterDevice()) return descriptor;
    return openSync(
      `/proc/self/fd/${descriptor}`,
      constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY,
    );
  } catch {
    // Another user's terminal may not be opened: then writes wait as they always did.
    return descriptor;
  }
}

function unwritable(descriptor: number, error: unknown): unknown {
  const errno = error instanceof Error && "errno" in error ? -Number(error.errno) : 0;
  if (!(errno > 0)) return error;
  const { name, meaning } = describeErrno(errno);
  return new KernelError({
    what: `the output cannot be written: ${meaning} (${name})`,
    at: descriptor === 1 ? "stdout" : `descriptor ${descriptor}`,
    fix:
      name === "ENOSPC" || name === "EDQUOT"
        ? "make room on that file system, or send the output to another one"
        : "send the output somewhere else: to a file, or through a pipe",
    call: "write",
    errno,
  });
}
