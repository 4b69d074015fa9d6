/**
 * Owns the table that `uscope list` prints: a line for each function, written as bytes.
 * Does not own which functions are listed.
 */
import { ByteText } from "../base/byte-text.js";
import { escapeControls } from "../base/text.js";
import { demangle, longestText, workingRoom, writeDemangled } from "../demangle/demangle.js";
import { versionedName, type FunctionWalk } from "../elf/symbols.js";
import type { Output } from "./output.js";

/** What a function is where it stands in a list: at the address of the one before it, an alias of that. */
export type ListedKind = "function" | "ifunc" | "alias";

export function kindOf(
  { kind, address }: Pick<FunctionWalk, "kind" | "address">,
  previous: number | undefined,
): ListedKind {
  return kind === "ifunc" ? kind : address === previous ? "alias" : kind;
}

/** Bytes gathered before they are written. */
const pieceLength = 1 << 20;

const head = `${"ADDRESS".padEnd(16)} ${"SIZE".padStart(8)} BIND   KIND     NAME\n`;
const bindings = { local: " local  ", global: " global ", weak: " weak   ", unique: " unique " } as const;
const kinds = { function: "function ", ifunc: "ifunc    ", alias: "alias    " } as const;

export class FunctionLines {
  readonly #output: Output;
  readonly #isMangled: boolean;
  /** Why the room: what is written without looking whether it fits. */
  readonly #text = new ByteText(pieceLength + workingRoom + 2 * longestText);

  constructor(output: Output, isMangled: boolean) {
    this.#output = output;
    this.#isMangled = isMangled;
  }

  /** Writes the functions of a walk, or those at the wanted addresses, until nobody reads any more; returns how many. */
  write(walk: FunctionWalk, wanted: ReadonlySet<number> | undefined): number {
    let previous: number | undefined;
    let count = 0;
    while (walk.next()) {
      if (wanted !== undefined && !wanted.has(walk.address)) continue;
      if (count++ === 0) this.#text.addWords(head);
      this.#addLine(walk, kindOf(walk, previous));
      previous = walk.address;
      if (this.#text.length > pieceLength) this.#flush();
      if (this.#output.closed) break;
    }
    this.#flush();
    return count;
  }

  #addLine(walk: FunctionWalk, kind: ListedKind): void {
    const text = this.#text;
    addAddress(text, walk.address);
    text.add(0x20);
    addSize(text, walk.size);
    text.addWords(bindings[walk.binding]);
    text.addWords(kinds[kind]);
    this.#addName(walk);
    text.add(0x0a);
  }

  #addName(walk: FunctionWalk): void {
    const { nameBytes, nameStart, nameEnd } = walk;
    if (nameEnd === 0 || nameEnd - nameStart > longestText) return this.#addPrinted(walk);
    if (!this.#isMangled && writeDemangled(nameBytes, nameStart, nameEnd, this.#text)) return;
    if (walk.hasVersion) this.#addPrinted(walk);
    else this.#text.addBytes(nameBytes, nameStart, nameEnd);
  }

  /** Adds a name that is not as easy: with a version, beyond ASCII, with bytes that drive terminals, or very long. */
  #addPrinted(walk: FunctionWalk): void {
    const symbol = walk.symbol();
    const name = (this.#isMangled ? undefined : demangle(symbol.name)) ?? versionedName(symbol);
    const bytes = new TextEncoder().encode(escapeControls(name));
    if (bytes.length <= longestText) return this.#text.addBytes(bytes, 0, bytes.length);
    this.#flush();
    this.#output.writeBytes(bytes);
  }

  #flush(): void {
    this.#output.writeBytes(this.#text.bytes.subarray(0, this.#text.length));
    this.#text.length = 0;
  }
}

/** Adds 16 hexadecimal digits. */
function addAddress(text: ByteText, address: number): void {
  if (address > 0xffff_ffff) addHalf(text, Math.floor(address / 0x1_0000_0000));
  else text.addWords("00000000");
  addHalf(text, address >>> 0);
}

function addHalf(text: ByteText, half: number): void {
  for (let shift = 28; shift >= 0; shift -= 4) {
    const digit = (half >>> shift) & 0xf;
    text.add(digit < 10 ? 0x30 + digit : 0x57 + digit);
  }
}

/** Adds a number to the right of a column of eight letters, or as wide as it is. */
function addSize(text: ByteText, size: number): void {
  if (size >= 100_000_000) return text.addWords(String(size));
  const start = text.length;
  text.addWords("        ");
  let rest = size;
  for (let at = start + 7; at === start + 7 || rest > 0; at--) {
    text.bytes[at] = 0x30 + (rest % 10);
    rest = (rest / 10) | 0;
  }
}
