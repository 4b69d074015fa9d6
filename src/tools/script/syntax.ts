/**
 * Owns finding the place of a syntax error in a script and what it imports: V8 says of a module only what is wrong.
 * Does not own the syntax of TypeScript (types.ts).
 */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Program } from "acorn";
import { stripTypes } from "./types.js";

export interface SyntaxPlace {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** From 0. */
  readonly column: number;
  /** Right in itself, but newer than the syntax that every supported Node knows. */
  readonly isNewer: boolean;
}

/** Spec: what Node 20 knows. */
const oldest = 2024;

/** Parses the script and the files that it imports by path, one after another, up to the first that is wrong. */
export async function findSyntaxError(script: string, home: string): Promise<SyntaxPlace | undefined> {
  return (await findFirst(script, home, "latest")) ?? (await findFirst(script, home, oldest));
}

async function findFirst(
  script: string,
  home: string,
  ecmaVersion: "latest" | typeof oldest,
): Promise<SyntaxPlace | undefined> {
  const { parse } = await import("acorn");
  const paths = new Set([script]);
  // A set is gone through in order of adding, with what is added on the way.
  for (const path of paths) {
    let program: Program;
    try {
      const source = readFileSync(path, "utf8");
      const text = /\.m?ts$/.test(path) ? stripTypes(source, path, home) : source;
      program = parse(text, { ecmaVersion, sourceType: "module", allowHashBang: true });
    } catch (error) {
      if (!(error instanceof SyntaxError) || !("loc" in error)) continue;
      const { line, column } = error.loc as { readonly line: number; readonly column: number };
      return { path, line, column, isNewer: ecmaVersion === oldest };
    }
    for (const imported of importsOf(program)) {
      const url = new URL(imported, pathToFileURL(path));
      if (/\.(?:m?ts|m?js)$/.test(url.pathname)) paths.add(decodeURIComponent(url.pathname));
    }
  }
  return undefined;
}

function importsOf({ body }: Program): readonly string[] {
  return body.flatMap((node) => {
    if (!("source" in node) || typeof node.source?.value !== "string") return [];
    return /^\.\.?\//.test(node.source.value) ? [node.source.value] : [];
  });
}
