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

/** Decodes UTF-8, or says undefined when the bytes are none. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
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
    const length = sequenceLength(bytes[at]!);
    const character = decodeStrictly(bytes.subarray(at, at + length));
    shown += character === undefined ? `\\x${bytes[at]!.toString(16).padStart(2, "0")}` : show(character);
    at += character === undefined ? 1 : length;
  }
  return shown;
}

/** Spec: RFC 3629, section 3: the first byte says how many follow. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xf0) return 4;
  return first >= 0xe0 ? 3 : 2;
}

function decodeStrictly(bytes: Uint8Array): string | undefined {
  if (bytes.length > 1) return decodeText(bytes);
  return bytes[0]! < 0x80 ? String.fromCharCode(bytes[0]!) : undefined;
}
