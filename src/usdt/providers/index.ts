/**
 * Owns which providers' markers are known by the names of their arguments.
 * Does not own what they are: each provider has a table of its own.
 */
import { plainName } from "../names.js";
import { parseTable } from "./declaration.js";
import type { DeclaredArgument } from "./declaration.js";
import { libc, libm, libpthread, rtld } from "./glibc.js";
import { hotspotJni } from "./hotspot-jni.js";
import { hotspot, hsPrivate } from "./hotspot.js";
import { libgcc, libstdcxx } from "./libstdcxx.js";
import { mysql } from "./mysql.js";
import { node } from "./node.js";
import { perl } from "./perl.js";
import { php } from "./php.js";
import { postgresql } from "./postgresql.js";
import { python } from "./python.js";
import { ruby } from "./ruby.js";
import { tcl } from "./tcl.js";

export type { DeclaredArgument, DeclaredForm } from "./declaration.js";

/** By the provider's name. */
export const tables: ReadonlyMap<string, string> = new Map([
  ["hotspot", hotspot],
  ["hotspot_jni", hotspotJni],
  ["hs_private", hsPrivate],
  ["libc", libc],
  ["libgcc", libgcc],
  ["libm", libm],
  ["libpthread", libpthread],
  ["libstdcxx", libstdcxx],
  ["mysql", mysql],
  ["node", node],
  ["perl", perl],
  ["php", php],
  ["postgresql", postgresql],
  ["python", python],
  ["rtld", rtld],
  ["ruby", ruby],
  ["tcl", tcl],
]);

const parsed = new Map<string, ReturnType<typeof parseTable>>();

/**
 * Finds what the arguments of a marker mean, by the names in its note and the number of arguments there. What was found before is
 * the same object. Why parsed only here: most runs ask for no marker.
 */
export function findDeclaration(
  provider: string,
  marker: string,
  count: number,
): readonly DeclaredArgument[] | undefined {
  const name = plainName(provider);
  const table = tables.get(name);
  if (table === undefined) return undefined;
  const rows = parsed.get(name) ?? parseTable(table);
  parsed.set(name, rows);
  const own = plainName(marker);
  return rows.find(({ pattern, declared }) => declared.length === count && pattern.test(own))?.declared;
}
