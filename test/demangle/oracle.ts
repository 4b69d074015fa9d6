/**
 * Owns the answers that demangling is compared with: what nm lists and what c++filt prints.
 * Does not own any judgement about differences.
 */
import { execFileSync } from "node:child_process";
import { demangle } from "../../src/demangle/demangle.js";

export interface Difference {
  readonly symbol: string;
  readonly expected: string;
  readonly printed: string;
}

/** Lists the mangled symbols of a file, of both its tables, each once and without versions. */
export function mangledSymbols(path: string): string[] {
  const lines = ["-D", "--no-demangle"].flatMap((table) => run("nm", [table, path]).split("\n"));
  const names = lines.map((line) => line.slice(line.lastIndexOf(" ") + 1).replace(/@.*/, ""));
  return [...new Set(names.filter((name) => /^_[ZR]/.test(name)))].sort();
}

/** Prints symbols as c++filt does without implementation details: `std::string`, no hashes of Rust. */
export function cxxfilt(symbols: readonly string[]): string[] {
  const printed = run("c++filt", ["--no-verbose"], symbols.join("\n")).split("\n");
  // Why: among other text c++filt finds symbols of ASCII letters only; as arguments it takes what it gets.
  return symbols.map((symbol, index) =>
    /^[\w.$]*$/.test(symbol) ? (printed[index] ?? "") : run("c++filt", ["--no-verbose", symbol]).trimEnd(),
  );
}

/** Compares the two for every symbol; a symbol that cannot be read counts as printed as it is. */
export function differences(symbols: readonly string[]): Difference[] {
  const expected = cxxfilt(symbols);
  return symbols
    .map((symbol, index) => ({
      symbol,
      expected: expected[index] ?? "",
      printed: demangle(symbol) ?? symbol,
    }))
    .filter((each) => each.expected !== each.printed);
}

function run(command: string, args: readonly string[], input = ""): string {
  // Why: nm writes to stderr and ends well when a file has no table of the kind.
  return execFileSync(command, args, {
    input,
    encoding: "utf8",
    maxBuffer: 1 << 30,
    stdio: ["pipe", "pipe", "ignore"],
  });
}
