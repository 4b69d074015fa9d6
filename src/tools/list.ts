/**
 * Owns `uscope list`: the functions and markers of a file, or the files that a process has mapped.
 * Does not own how they are found (target/, elf/, usdt/), nor what is said of a marker (marker-list.ts).
 */
import { NotFoundError, isUscopeError } from "../base/errors.js";
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
import { damageNotes, FileMarkers, requireMarkers } from "./listed-markers.js";
import { MarkerList } from "./marker-list.js";
import type { MarkerForm } from "./marker-list.js";
import { Output } from "./output.js";

export interface ListRequest {
  /** undefined: with a process, the files that it has mapped, or all markers in them. */
  readonly target: string | undefined;
  readonly patterns: readonly string[];
  readonly pid: number | undefined;
  readonly json: boolean;
  /** Show names as the linker knows them. */
  readonly mangled: boolean;
  /** Leave the functions out. */
  readonly onlyMarkers: boolean;
  /** Say all that is known of markers. */
  readonly verbose: boolean;
}

/** Prints the list; returns the exit code. */
export async function list(request: ListRequest): Promise<number> {
  const process = request.pid === undefined ? undefined : requireProgram(request.pid);
  const output = new Output(1);
  const { target, patterns } = request;
  if (target !== undefined && process !== undefined && isMarkerName(target, process, request))
    await listMarkers(process, { ...request, patterns: [target, ...patterns] }, output);
  else if (target !== undefined || process === undefined)
    await listTarget(target ?? "", process, request, output);
  else if (request.onlyMarkers || request.verbose) await listMarkers(process, request, output);
  else listFiles(process, request, output);
  output.flush();
  return 0;
}

async function listTarget(
  target: string,
  process: ProcessInfo | undefined,
  request: ListRequest,
  output: Output,
): Promise<void> {
  const found = findTarget(target, process);
  using binary = openBinary(found.path, found.openPath, found.root);
  const named = target === "" ? binary.path : target;
  sayNotes([...found.notes, ...damageNotes(binary)]);
  const file = new FileMarkers(binary, request.patterns);
  using markers = new MarkerList(output, { form: formOf(request), showsFile: false, process });
  if (request.onlyMarkers) requireMarkers([file], { ...request, target: named, where: binary.path });
  else {
    const count = listFunctions(binary, file, { ...request, target: named }, output);
    if (count === 0 && file.markers.length === 0) throw nameless(binary);
    if (!request.json && file.markers.length > 0) output.write(separatorOf(count, request));
  }
  await markers.write(binary, file.markers);
}

/** Between functions and markers: details stand below the table; rows are part of it, perhaps its only ones. */
function separatorOf(count: number, { verbose }: ListRequest): string {
  if (verbose) return count === 0 ? "" : "\n";
  return count === 0 ? "ADDRESS              SIZE BIND   KIND     NAME\n" : "";
}

/** Says whether a word without a file of that name means markers of any file. Why no dot: names of libraries have one. */
function isMarkerName(target: string, process: ProcessInfo, { onlyMarkers, verbose }: ListRequest): boolean {
  if (!(onlyMarkers || verbose) || /[./]/.test(target)) return false;
  try {
    findTarget(target, process);
    return false;
  } catch (error) {
    if (error instanceof NotFoundError) return true;
    throw error;
  }
}

function formOf({ onlyMarkers, verbose, json }: ListRequest): MarkerForm {
  if (json) return "json";
  if (verbose) return "words";
  return onlyMarkers ? "names" : "rows";
}

/** Writes the functions that are asked for; returns how many. */
function listFunctions(
  binary: Binary,
  markers: FileMarkers,
  request: ListRequest & { readonly target: string },
  output: Output,
): number {
  const wanted = selectAddresses(binary, markers, request);
  // Why: without one there is no table that details of markers could stand below.
  if (wanted?.size === 0 && request.verbose) return 0;
  return request.json
    ? writeObjects(binary, wanted, output)
    : new FunctionLines(binary.functions.tables, output, request.mangled).write(wanted);
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
  markers: FileMarkers,
  { target, patterns }: { readonly target: string; readonly patterns: readonly string[] },
): Set<number> | undefined {
  if (patterns.length === 0) return undefined;
  const matches = patterns.flatMap((pattern) => {
    try {
      return matchFunctions(functions, pattern, { target, path, isStripped });
    } catch (error) {
      if (error instanceof NotFoundError && markers.has(pattern)) return [];
      throw error;
    }
  });
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

/** The markers of all files that the process has mapped. */
async function listMarkers(process: ProcessInfo, request: ListRequest, output: Output): Promise<void> {
  const files: FileMarkers[] = [];
  try {
    for (const { binary, notes } of openMappedFiles(process)) {
      const file = new FileMarkers(binary, request.patterns);
      files.push(file);
      if (binary.markers.markers.length > 0) sayNotes(notes);
      sayNotes(damageNotes(binary));
      // Why at once: a process may map more files than this one may have open.
      if (file.markers.length === 0) binary.close();
    }
    const where = `${files.length} files that process ${process.pid} maps`;
    requireMarkers(files, { target: undefined, where, patterns: request.patterns });
    const form = formOf({ ...request, onlyMarkers: true });
    using markers = new MarkerList(output, { form, showsFile: true, process });
    for (const file of files) await markers.write(file.binary, file.markers);
  } finally {
    for (const { binary } of files) binary.close();
  }
}

interface MappedFile {
  readonly binary: Binary;
  readonly isDeleted: boolean;
  readonly notes: readonly string[];
}

/** Opens what the process has mapped executable; the one who asks closes it. What is no program is said and passed over. */
function* openMappedFiles(
  process: ProcessInfo,
  isWanted = (_path: string): boolean => true,
): Generator<MappedFile> {
  const root = process.sharesFiles() ? "" : process.root;
  for (const mapping of mappedFiles(process)) {
    if (!mapping.executable || !isWanted(mapping.path)) continue;
    const { path, openPath, root: fileRoot, notes } = openMapped(mapping, process, root);
    let binary: Binary;
    try {
      binary = openBinary(path, openPath, fileRoot);
    } catch (error) {
      if (!isUscopeError(error)) throw error;
      sayNotes([`${path} was left out: ${error.what}`]);
      continue;
    }
    yield { binary, isDeleted: mapping.deleted, notes };
  }
}

/** One line per file that the process has mapped. */
function listFiles(process: ProcessInfo, { json, patterns }: ListRequest, output: Output): void {
  const tests = patterns.map((pattern) => globMatcher(pattern));
  const isWanted = (path: string): boolean => tests.length === 0 || tests.some((test) => test(path));
  if (!json) output.write("FUNCTIONS MARKERS BUILD-ID                                 FILE\n");
  for (const { binary: opened, isDeleted, notes } of openMappedFiles(process, isWanted)) {
    using binary = opened;
    const { path, buildId } = binary;
    const functions = binary.functions.count;
    const markers = binary.markers.markers.length;
    const state = isDeleted ? " (deleted)" : "";
    output.write(
      json
        ? `${printJson({ file: path, functions, markers, ...(buildId === undefined ? {} : { build_id: buildId }), deleted: isDeleted, notes })}\n`
        : `${String(functions).padStart(9)} ${String(markers).padStart(7)} ${(buildId ?? "-").padEnd(40)} ${escapeControls(path)}${state}\n`,
    );
  }
}
