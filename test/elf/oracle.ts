/** Owns what readelf and nm say about a file, as lines that tests compare. Does not own what uscope says. */
import { execFileSync } from "node:child_process";
import { versionedName, type FunctionSymbol } from "../../src/elf/symbols.js";
import type { TableKind } from "../../src/elf/symbol-table.js";

/** Runs a binutils program; in the C locale, so that names come out byte for byte. */
export function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, {
    encoding: "utf8",
    maxBuffer: 1 << 30,
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C" },
    stdio: ["ignore", "pipe", "ignore"],
  });
}

export interface OracleSymbol {
  readonly address: number;
  readonly size: number;
  readonly line: string;
}

/** The defined, named functions of one table, as `readelf -sW` lists them. */
export function readelfFunctions(path: string, kind: TableKind, ...flags: readonly string[]): OracleSymbol[] {
  const symbols: OracleSymbol[] = [];
  let isWanted = flags.includes("-D");
  for (const line of run("readelf", "-sW", ...flags, path).split("\n")) {
    if (line.startsWith("Symbol table '")) isWanted = line.startsWith(`Symbol table '.${kind}'`);
    const match =
      /^\s*\d+: ([0-9a-f]+)\s+(0x[0-9a-f]+|\d+)\s+(FUNC|IFUNC)\s+(\S+)\s+(\S+)(?:\s+\[.*?\])?\s+(\S+) (\S.*)$/.exec(
        line,
      );
    if (!isWanted || match === null) continue;
    const [, value, size, type, binding, visibility, section, name] = match as unknown as string[];
    if (section === "UND") continue;
    const address = Number.parseInt(value!, 16);
    symbols.push({
      address,
      size: Number(size),
      line: [value, Number(size), type, binding, visibility, name].join(" "),
    });
  }
  return symbols;
}

/** A function of uscope as readelfFunctions() writes it. */
export function readelfLine(symbol: FunctionSymbol): string {
  const type = symbol.kind === "ifunc" ? "IFUNC" : "FUNC";
  return [
    hex(symbol.address),
    symbol.size,
    type,
    symbol.binding.toUpperCase(),
    symbol.visibility.toUpperCase(),
    versionedName(symbol),
  ].join(" ");
}

/** Address, size and name with version of the defined functions that `nm` (or `nm -D`) knows. */
export function nmFunctions(path: string, ...flags: readonly string[]): string[] {
  // name |value |class |type |size |line |section
  return (
    run("nm", "--format=sysv", "--defined-only", ...flags, path)
      .split("\n")
      .map((line) => line.split("|").map((field) => field.trim()))
      // nm has no word for the type of ifuncs.
      .filter((fields) => fields.length === 7 && /^(FUNC|<OS specific>: 10)$/.test(fields[3]!))
      .map(([name, value, , , size]) => `${value} ${(size === "" ? "0" : size!).padStart(16, "0")} ${name}`)
  );
}

/** A function of uscope as nmFunctions() writes it. */
export function nmLine(symbol: FunctionSymbol): string {
  return `${hex(symbol.address)} ${hex(symbol.size)} ${versionedName(symbol)}`;
}

function hex(value: number): string {
  return value.toString(16).padStart(16, "0");
}
