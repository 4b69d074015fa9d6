/**
 * Owns which file each pattern means: whether two of them mean the same one, and what it is called beside a function's name.
 * Does not own finding files (target/find.ts).
 */
import { statSync } from "node:fs";
import { basename } from "node:path";
import { parse } from "../lang/compile.js";
import { findTarget } from "../target/find.js";
import { requireProgram } from "../target/process.js";
import { parseEnds } from "../trace/pair-targets.js";

export interface PatternFile {
  /** Equal for patterns of one file, however they name it. */
  readonly identity: string;
  /** As people call it: without folders where that says which one it is, else as it was given. */
  readonly name: string;
}

/** Finds the file of each pattern, as each of the processes means it; without processes, as this machine has it now. */
export function findPatternFiles(
  patterns: readonly string[],
  pids: readonly number[],
): readonly PatternFile[] {
  const given = patterns.map(givenFile);
  const identities = new Map([...new Set(given)].map((file) => [file, identityOf(file, pids)]));
  return given.map((file) => {
    const identity = identities.get(file)!;
    const name = basename(file);
    const isClear = given.every((other) => basename(other) !== name || identities.get(other) === identity);
    return { identity, name: isClear ? name : file };
  });
}

/** The FILE of `FILE:FUNCTION` and of `u:FILE:MARKER`; empty for a marker of any file. Of a pair it is that in which it begins. */
function givenFile(pattern: string): string {
  return parse(parseEnds(pattern)?.from ?? pattern).tree.selector.library;
}

/** Device and inode; the name itself where the file or the process has gone since the pattern was armed. */
function identityOf(file: string, pids: readonly number[]): string {
  if (file === "") return "";
  try {
    const processes = pids.length === 0 ? [undefined] : pids.map((pid) => requireProgram(pid));
    const found = processes.map((process) => {
      const { dev, ino } = statSync(findTarget(file, process).openPath, { bigint: true });
      return `${dev}:${ino}`;
    });
    return [...new Set(found)].join(" ");
  } catch {
    return file;
  }
}
