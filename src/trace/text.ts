/**
 * Owns traced bytes as text for people: UTF-8 where it is, control bytes and broken sequences as visible escapes.
 * Does not own where the bytes lie (events.ts).
 */
import { escapeControls } from "../base/text.js";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Shows bytes so that they can never drive a terminal: `\r\n`, `\x1b`, and `\xff` for bytes that are no UTF-8. */
export function printBytes(bytes: Buffer, start: number, end: number): string {
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte < 0x20 || byte > 0x7e) return printUnusual(bytes.subarray(start, end));
  }
  return bytes.toString("latin1", start, end);
}

/** Decodes UTF-8, and Java's modified UTF-8 with its pairs of surrogates; says undefined when the bytes are neither. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    const joined = joinSurrogates(bytes);
    return joined && decodeText(joined);
  }
}

/**
 * Makes UTF-8 of modified UTF-8; undefined where there is no pair of surrogates. Spec: Java Virtual Machine Specification 4.4.7: what
 * UTF-8 has in four bytes are two surrogates of three bytes each there, which UTF-8 never holds.
 */
function joinSurrogates(bytes: Uint8Array): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  let done = 0;
  for (let at = bytes.indexOf(surrogate); at !== -1; at = bytes.indexOf(surrogate, at + 1)) {
    const units = bytes.subarray(at, at + pairLength);
    if (at < done || !isPair(units)) continue;
    const [high, low] = [1, 4].map((first) => ((units[first]! & 0x3f) << 6) | (units[first + 1]! & 0x3f));
    const character = String.fromCharCode(0xd000 | high!, 0xd000 | low!);
    parts.push(bytes.subarray(done, at), Buffer.from(character));
    done = at + pairLength;
  }
  return done === 0 ? undefined : Buffer.concat([...parts, bytes.subarray(done)]);
}

/** What every surrogate begins with. */
const surrogate = 0xed;
const pairLength = 6;

function isPair([first, high, end, second, low, last]: Uint8Array): boolean {
  const isLead = first === surrogate && high !== undefined && high >> 4 === 0xa;
  return (
    isLead && second === surrogate && low !== undefined && low >> 4 === 0xb && isTail(end) && isTail(last)
  );
}

function isTail(byte: number | undefined): boolean {
  return byte !== undefined && byte >> 6 === 0b10;
}

/** One character per byte, for output that is written as latin1: the bytes arrive as they were. */
export function rawBytes(bytes: Buffer, start: number, end: number): string {
  return bytes.toString("latin1", start, end);
}

/**
 * Reads text for programs: as it is, control bytes too, but bytes that are no UTF-8 as escapes. Why not U+FFFD: different bytes
 * would become one text, and one key.
 */
export function readBytes(bytes: Buffer, start: number, end: number): string {
  for (let index = start; index < end; index++)
    if (bytes[index]! > 0x7f)
      return decodeText(bytes.subarray(start, end)) ?? readBroken(bytes.subarray(start, end), (text) => text);
  return bytes.toString("latin1", start, end);
}

function printUnusual(bytes: Uint8Array): string {
  return readBroken(bytes, escapeControls);
}

function readBroken(bytes: Uint8Array, show: (character: string) => string): string {
  let shown = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    const character = decodeOne(bytes.subarray(at, at + length));
    shown += character === undefined ? `\\x${bytes[at]!.toString(16).padStart(2, "0")}` : show(character);
    at += character === undefined ? 1 : length;
  }
  return shown;
}

/** Spec: RFC 3629, section 3: the first byte says how many follow. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  if (first < 0x80) return 1;
  if (first === surrogate && isPair(bytes.subarray(at, at + pairLength))) return pairLength;
  if (first >= 0xf0) return 4;
  return first >= 0xe0 ? 3 : 2;
}

function decodeOne(bytes: Uint8Array): string | undefined {
  if (bytes.length > 1) return decodeText(bytes);
  return bytes[0]! < 0x80 ? String.fromCharCode(bytes[0]!) : undefined;
}
