/**
 * Owns writing lines to a descriptor in large pieces, and notices when nobody reads any more.
 * Does not own what is written.
 */
import { writeSync } from "node:fs";
import { KernelError } from "../base/errors.js";
import { describeErrno } from "../kernel/errno.js";

/** Characters gathered before they are written. */
const pieceLength = 1 << 16;

export class Output {
  /** The reader has gone (`| head`): nothing more can be written. */
  closed = false;

  readonly #descriptor: number;
  readonly #encoding: "utf8" | "latin1";
  #pending = "";
  /** Why kept: a new buffer a piece is memory outside of the heap that waits for a collection. */
  readonly #bytes = Buffer.allocUnsafe(4 * pieceLength);

  /** latin1 writes each character as one byte: for text that was read as raw bytes. */
  constructor(descriptor: number, encoding: "utf8" | "latin1" = "utf8") {
    this.#descriptor = descriptor;
    this.#encoding = encoding;
  }

  write(text: string): void {
    this.#pending += text;
    if (this.#pending.length >= pieceLength) this.flush();
  }

  /**
   * Writes what is pending. Why synchronously: memory stays flat however slow the reader is; what the reader cannot
   * take fills the ring buffer, and is counted there as lost.
   */
  flush(): void {
    if (this.#pending === "" || this.closed) return;
    const bytes = this.#encode(this.#pending);
    this.#pending = "";
    for (let at = 0; at < bytes.length && !this.closed;) at += this.#writeSome(bytes, at);
  }

  #encode(text: string): Uint8Array {
    // Spec: UTF-8 takes at most three bytes for each UTF-16 code unit.
    if (text.length * 3 > this.#bytes.length) return Buffer.from(text, this.#encoding);
    return this.#bytes.subarray(0, this.#bytes.write(text, this.#encoding));
  }

  #writeSome(bytes: Uint8Array, at: number): number {
    try {
      return writeSync(this.#descriptor, bytes, at);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      // Why stderr too: remarks that cannot be written must not end a trace whose events can.
      if (code === "EPIPE" || (code !== "EAGAIN" && this.#descriptor === 2)) {
        this.closed = true;
        return 0;
      }
      // Why: a pipe that another program made non-blocking is full; its reader is only slow.
      if (code !== "EAGAIN") throw unwritable(this.#descriptor, error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      return 0;
    }
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
