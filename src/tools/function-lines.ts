/**
 * Owns the table that `uscope list` prints: a line for each function, made as bytes by the WebAssembly module (assembly/list/).
 * Does not own which functions a pattern means.
 */
import { assert, unreachable } from "../base/assert.js";
import { UnsupportedError } from "../base/errors.js";
import { escapeControls } from "../base/text.js";
import { demangle } from "../demangle/demangle.js";
import { versionedName, type FunctionSymbol, type SymbolTable } from "../elf/symbols.js";
import { instantiate, isTrap, listed, type Listed, type WasmExports } from "../wasm/module.js";
import type { Output } from "./output.js";

/** What a function is where it stands in a list: at the address of the one before it, an alias of that. */
export type ListedKind = "function" | "ifunc" | "alias";

export function kindOf(
  { kind, address }: Pick<FunctionSymbol, "kind" | "address">,
  previous: number | undefined,
): ListedKind {
  return kind === "ifunc" ? kind : address === previous ? "alias" : kind;
}

/** The longest name, in bytes, for which the module has room behind its text. */
const longestName = 65_536;

export class FunctionLines {
  readonly #output: Output;
  readonly #isMangled: boolean;
  readonly #module: WasmExports = instantiate();
  readonly #tables: readonly SymbolTable[];

  constructor(tables: readonly SymbolTable[], output: Output, isMangled: boolean) {
    this.#tables = tables;
    this.#output = output;
    this.#isMangled = isMangled;
  }

  /** Writes all functions, or those at the wanted addresses, until nobody reads any more; returns how many. */
  write(wanted: ReadonlySet<number> | undefined): number {
    for (const table of this.#tables) this.#addTable(table);
    if (wanted !== undefined) this.#filter(wanted);
    if (!this.#module.begin(this.#isMangled)) throw tooMany(this.#tables);
    while (this.#goOn());
    this.#flush();
    return this.#module.lineCount();
  }

  #addTable({ entryBytes, nameBytes, namesHaveVersions, versions }: SymbolTable): void {
    const isAdded = this.#module.addTable(
      this.#place(entryBytes),
      Math.floor(entryBytes.length / 24),
      this.#place(nameBytes),
      nameBytes.length,
      namesHaveVersions,
      versions === undefined ? 0 : this.#place(versions.numbers),
      versions === undefined ? 0 : this.#place(versions.isNamed()),
    );
    assert(isAdded, "a file has few symbol tables");
  }

  #filter(wanted: ReadonlySet<number>): void {
    const addresses = Float64Array.from(wanted).sort();
    const numbers = BigUint64Array.from(addresses, (address) => BigInt(address));
    this.#module.filter(this.#place(new Uint8Array(numbers.buffer)), numbers.length);
  }

  /** Puts bytes into the module's memory, and returns where. */
  #place(bytes: Uint8Array): number {
    const start = this.#module.reserve(bytes.length) >>> 0;
    if (start === 0) throw tooMany(this.#tables);
    new Uint8Array(this.#module.memory.buffer).set(bytes, start);
    return start;
  }

  /** Has the module write on, and does what it returns for; says whether there is more to come. */
  #goOn(): boolean {
    const reason = this.#next();
    switch (reason) {
      case listed.all:
        return false;
      case listed.piece:
        this.#flush();
        return !this.#output.closed;
      case listed.wantsName:
        this.#addName();
        return true;
      case listed.overlaps:
        return this.#tables[this.#module.wantedTable()]!.failOverlapping();
      default:
        return unreachable(reason);
    }
  }

  #next(): Listed {
    try {
      return this.#module.next();
    } catch (error) {
      if (!isTrap(error)) throw error;
      return listed.wantsName;
    }
  }

  /** Adds a name that is not as easy: of Rust, with a version, beyond ASCII, with bytes that drive terminals, or very long. */
  #addName(): void {
    const symbol = this.#tables[this.#module.wantedTable()]!.symbol(this.#module.wantedSymbol());
    const name = (this.#isMangled ? undefined : demangle(symbol.name)) ?? versionedName(symbol);
    const bytes = new TextEncoder().encode(escapeControls(name));
    if (bytes.length <= longestName) {
      const { memory, textStart, textLength } = this.#module;
      new Uint8Array(memory.buffer).set(bytes, (textStart() >>> 0) + textLength());
      this.#module.named(bytes.length);
    } else {
      this.#flush();
      this.#output.writeBytes(bytes);
      this.#module.named(0);
    }
  }

  #flush(): void {
    const { memory, textStart, textLength } = this.#module;
    this.#output.writeBytes(new Uint8Array(memory.buffer, textStart() >>> 0, textLength()));
    this.#module.taken();
  }
}

function tooMany([table]: readonly SymbolTable[]): UnsupportedError {
  return new UnsupportedError({
    what: "the file has more symbols than fit in memory",
    at: table?.elf.source.path ?? "symbol tables",
    fix: "ask for some of them: uscope list --json TARGET PATTERN",
  });
}
