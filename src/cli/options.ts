/**
 * Owns the options of a command: one table from which parsing, help and errors are made.
 * Does not own what an option means.
 */
import { parseArgs } from "node:util";
import { UsageError } from "../base/errors.js";
import { nearestNames } from "../base/text.js";

export interface OptionRow {
  /** Long name without dashes. */
  readonly name: string;
  readonly letter?: string;
  /** The long name, or the letter, that BCC has for it, where that is another. */
  readonly alias?: string;
  /** What to call the value in help; an option without one is a switch. */
  readonly value?: string;
  readonly repeatable?: true;
  readonly help: string;
}

export interface ParsedOptions {
  readonly arguments: readonly string[];
  /** What stands behind `--`; undefined when there is no `--`. */
  readonly command: readonly string[] | undefined;
  has(name: string): boolean;
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  /** A number not below `least`; `whole` numbers only unless said otherwise. */
  number(name: string, least?: number, kind?: "whole" | "any"): number | undefined;
}

/** Parses a command line by the table; what is unknown or misses its value throws a UsageError. */
export function parseOptions(
  command: string,
  rows: readonly OptionRow[],
  words: readonly string[],
): ParsedOptions {
  const end = words.indexOf("--");
  const own = end === -1 ? words : words.slice(0, end);
  const options = Object.fromEntries(
    rows.flatMap((row) => {
      const type = row.value === undefined ? ("boolean" as const) : ("string" as const);
      const form = { type, multiple: true };
      const named = [row.name, row.letter === undefined ? form : { ...form, short: row.letter }] as const;
      if (row.alias === undefined) return [named];
      return [named, [row.alias, row.alias.length === 1 ? { ...form, short: row.alias } : form] as const];
    }),
  );
  let parsed;
  try {
    parsed = parseArgs({ args: [...own], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw usageErrorOf(command, rows, own, error);
  }
  const given = parsed.values as Record<string, readonly (string | boolean)[] | undefined>;
  const values: Record<string, readonly (string | boolean)[] | undefined> = Object.fromEntries(
    rows.map(({ name, alias = name }) => [
      name,
      alias !== name && given[alias] !== undefined ? [...(given[name] ?? []), ...given[alias]] : given[name],
    ]),
  );
  for (const row of rows) {
    if (row.repeatable === undefined && row.value !== undefined && (values[row.name]?.length ?? 0) > 1) {
      throw new UsageError({
        what: `${printName(row)} is given twice`,
        at: `uscope ${command}`,
        fix: "give it once",
      });
    }
  }
  const texts = (name: string): readonly string[] => (values[name] ?? []).map(String);
  return {
    arguments: parsed.positionals,
    command: end === -1 ? undefined : words.slice(end + 1),
    has: (name) => values[name] !== undefined,
    text: (name) => texts(name)[0],
    texts,
    number: (name, least = 0, kind = "whole") =>
      parseNumber(command, rows, name, texts(name)[0], least, kind),
  };
}

/** Puts `--` behind the first word that is neither an option nor the value of one. */
export function endAtArgument(rows: readonly OptionRow[], words: readonly string[]): readonly string[] {
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (word === "--") return words;
    if (!word.startsWith("-") || word === "-")
      return [...words.slice(0, index + 1), "--", ...words.slice(index + 1)];
    if (takesNext(rows, word)) index++;
  }
  return words;
}

/** `--name VALUE`, and `-n VALUE` also behind switches: `-vn VALUE`. */
function takesNext(rows: readonly OptionRow[], word: string): boolean {
  if (word.startsWith("--")) {
    const name = word.slice(2);
    return rows.some((row) => row.value !== undefined && (row.name === name || row.alias === name));
  }
  const letters = word.slice(1).split("");
  const first = letters.findIndex((letter) =>
    rows.some((row) => row.value !== undefined && row.letter === letter),
  );
  return first !== -1 && first === letters.length - 1;
}

/** Prints the table as help shows it. */
export function printOptions(rows: readonly OptionRow[]): string {
  const names = rows.map(
    (row) =>
      `${row.letter === undefined ? "    " : `-${row.letter}, `}--${row.name}${row.value === undefined ? "" : ` ${row.value}`}`,
  );
  const width = Math.max(...names.map((name) => name.length));
  const indent = " ".repeat(width + 4);
  return rows
    .map((row, index) => `  ${names[index]!.padEnd(width)}  ${row.help.replaceAll("\n", `\n${indent}`)}`)
    .join("\n");
}

function parseNumber(
  command: string,
  rows: readonly OptionRow[],
  name: string,
  text: string | undefined,
  least: number,
  kind: "whole" | "any",
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+(\.\d+)?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (Number.isFinite(value) && value >= least && (kind === "any" || Number.isSafeInteger(value)))
    return value;
  const row = rows.find((candidate) => candidate.name === name)!;
  throw new UsageError({
    what: `${printName(row)} takes a ${kind === "whole" ? "whole " : ""}number from ${least} on, not "${text}"`,
    at: `uscope ${command}`,
    fix: `give it a number, as in --${name} ${Math.max(least, 1)}`,
  });
}

function printName(row: OptionRow): string {
  return row.letter === undefined ? `--${row.name}` : `-${row.letter}/--${row.name}`;
}

function usageErrorOf(
  command: string,
  rows: readonly OptionRow[],
  words: readonly string[],
  error: unknown,
): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const message = error instanceof Error ? error.message.split("\n")[0]! : "";
  if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
    const unknown = /'(-[^']*)'/.exec(message)?.[1] ?? words.find((word) => word.startsWith("-")) ?? "";
    const near = nearestNames(
      unknown.replace(/^-+/, ""),
      rows.map((row) => row.name),
      1,
    )[0];
    const hint = unknown.startsWith("--") && near !== undefined ? `did you mean --${near}? ` : "";
    return new UsageError({
      what: `unknown option ${unknown}`,
      at: `uscope ${command}`,
      fix: `${hint}uscope ${command} --help lists the options`,
    });
  }
  if (code === "ERR_PARSE_ARGS_INVALID_OPTION_VALUE") {
    const [, letter, name] = /'(?:-(\w)\b)?(?:, )?(?:--([\w-]+))?/.exec(message) ?? [];
    const row = rows.find((row) =>
      name === undefined
        ? row.letter === letter
        : row.name === name || row.alias === name || row.alias === name,
    );
    if (row === undefined) return error;
    return new UsageError({
      what: `${printName(row)} takes ${row.value === undefined ? "no value" : `a value: ${row.value}`}`,
      at: `uscope ${command}`,
      fix:
        row.value === undefined
          ? `write --${row.name} alone`
          : `write --${row.name} ${row.value}; where it begins with a dash, --${row.name}=${row.value}`,
    });
  }
  return error;
}
