/**
 * Owns `uscope list`: the functions of a file, or the files that a process has mapped.
 * Does not own how they are found (target/, elf/).
 */
import { NotFoundError } from "../base/errors.js";
import { escapeControls, globMatcher } from "../base/text.js";
import { demangle } from "../demangle/demangle.js";
import type { FunctionSymbol } from "../elf/symbols.js";
import { openBinary } from "../target/binary.js";
import type { Binary } from "../target/binary.js";
import { matchFunctions } from "../target/functions.js";
import { findTarget, mappedFiles, openMapped } from "../target/find.js";
import { requireProgram } from "../target/process.js";
import type { ProcessInfo } from "../target/process.js";
import { FunctionLines, kindOf } from "./function-lines.js";
import { printJson } from "./json.js";
import { Output } from "./output.js";

export interface ListRequest {
  /** undefined: with a process, the files that it has mapped. */
  readonly target: string | undefined;
  readonly patterns: readonly string[];
  readonly pid: number | undefined;
  readonly json: boolean;
  /** Show names as the linker knows them. */
  readonly mangled: boolean;
}

/** Prints the list; returns the exit code. */
export function list(request: ListRequest): number {
  const process = request.pid === undefined ? undefined : requireProgram(request.pid);
  const output = new Output(1);
  if (request.target === undefined && process !== undefined) listFiles(process, request, output);
  else listFunctions(request.target ?? "", process, request, output);
  output.flush();
  return 0;
}

function listFunctions(
  target: string,
  process: ProcessInfo | undefined,
  request: ListRequest,
  output: Output,
): void {
  const found = findTarget(target, process);
  using binary = openBinary(found.path, found.openPath, found.root);
  sayNotes(found.notes);
  const wanted = selectAddresses(binary, target === "" ? binary.path : target, request.patterns);
  const count = request.json
    ? writeObjects(binary, wanted, output)
    : new FunctionLines(binary.functions.tables, output, request.mangled).write(wanted);
  if (count === 0) throw nameless(binary);
}

/** Writes a JSON object for each function; returns how many. */
function writeObjects(binary: Binary, wanted: ReadonlySet<number> | undefined, output: Output): number {
  let count = 0;
  let previous: number | undefined;
  for (const row of binary.functions.inOrder()) {
    if (wanted !== undefined && !wanted.has(row.address)) continue;
    output.write(jsonLine(row, kindOf(row, previous), binary));
    count++;
    if (output.closed) break;
    previous = row.address;
  }
  return count;
}

/** Why not by process.stderr: what cannot be said there must not end the list. */
function sayNotes(notes: readonly string[]): void {
  const remarks = new Output(2);
  for (const note of notes) remarks.write(`note: ${escapeControls(note)}\n`);
  remarks.flush();
}

/** The places that the patterns mean, whose aliases are listed too; undefined for all. */
function selectAddresses(
  { functions, path, isStripped }: Binary,
  target: string,
  patterns: readonly string[],
): Set<number> | undefined {
  if (patterns.length === 0) return undefined;
  const matches = patterns.flatMap((pattern) =>
    matchFunctions(functions, pattern, { target, path, isStripped }),
  );
  return new Set(matches.map(({ address }) => address));
}

function jsonLine(row: FunctionSymbol, kind: string, { path }: Binary): string {
  const demangled = demangle(row.name);
  const fields = {
    file: path,
    address: `0x${row.address.toString(16)}`,
    size: row.size,
    binding: row.binding,
    kind,
    name: row.name,
    ...(row.version === undefined ? {} : { version: row.version }),
    ...(demangled === undefined ? {} : { demangled }),
  };
  return `${printJson(fields)}\n`;
}

function nameless({ path }: Binary): NotFoundError {
  return new NotFoundError({
    what: `no function has a name in ${path}`,
    at: `${path}, stripped of all symbols`,
    fix: "install its debug symbols (package NAME-dbgsym), or probe an address: BIN:0xADDR",
  });
}

/** One line per file that the process has mapped. */
function listFiles(process: ProcessInfo, { json, patterns }: ListRequest, output: Output): void {
  const tests = patterns.map((pattern) => globMatcher(pattern));
  if (!json) output.write("FUNCTIONS BUILD-ID                                 FILE\n");
  for (const mapping of mappedFiles(process)) {
    if (!mapping.executable || (tests.length > 0 && !tests.some((test) => test(mapping.path)))) continue;
    const root = process.sharesFiles() ? "" : process.root;
    const found = openMapped(mapping, process, root);
    using binary = openBinary(found.path, found.openPath, found.root);
    const functions = binary.functions.count;
    const buildId = binary.buildId;
    const state = mapping.deleted ? " (deleted)" : "";
    output.write(
      json
        ? `${printJson({ file: found.path, functions, ...(buildId === undefined ? {} : { build_id: buildId }), deleted: mapping.deleted, notes: found.notes })}\n`
        : `${String(functions).padStart(9)} ${(buildId ?? "-").padEnd(40)} ${escapeControls(found.path)}${state}\n`,
    );
  }
}
