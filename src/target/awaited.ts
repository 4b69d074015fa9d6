/**
 * Owns what is known of a selector while no file has its places: what is waited for, and what its values will be like.
 * Does not own noticing the file (trace/).
 */
import { NotFoundError } from "../base/errors.js";
import type { Layout, Target } from "../lang/target.js";
import { entryLayout, insideLayout, returnLayout } from "./calling-convention.js";
import type { ResolvedProbe } from "./resolve.js";

type Selector = Parameters<Target["resolve"]>[0];

/** What is not there now may come while processes run: a library that is loaded, a program that is started. */
export class NotThereYetError extends NotFoundError {}

/** Says whether a name is one of libraries, which programs load when they please: `libfoo.so.1`, `libfoo`, `foo.so`. */
export function isLibraryName(name: string): boolean {
  return /^lib|\.so(\.|$)/.test(name);
}

/** The answer to a selector whose file is still to come. */
export function awaitPlaces(selector: Selector, { what, fix }: NotThereYetError): ResolvedProbe {
  const guess = /^did you mean .*?\?(?= |$)/.exec(fix)?.[0];
  const near = guess === undefined ? "" : ` (${guess})`;
  const waited = selector.library === "" ? "a file that has it" : "one";
  return {
    architecture: ownMachine,
    layouts: [layoutToCome(selector)],
    sites: [],
    users: new Map(),
    skipped: [],
    notes: [`${what} so far: waits until a process that is traced maps ${waited}${near}`],
  };
}

const ownMachine = process.arch === "arm64" ? "arm64" : "x86-64";

/** Of functions exactly the layout that their places have; of markers one that lets a probe be read: theirs stands in their notes. */
function layoutToCome(selector: Selector): Layout {
  if (selector.kind === "marker") return anyMarker;
  if (selector.kind === "address" || selector.offset !== 0) return insideLayout(ownMachine);
  return selector.at === "return" ? returnLayout(ownMachine) : entryLayout(ownMachine);
}

const mostArguments = 64;

const anyMarker: Layout = {
  arguments: Array.from({ length: mostArguments }, () => ({
    kind: "constant",
    value: 0n,
    type: { kind: "integer", bytes: 8, signed: false },
  })),
  returned: undefined,
  returnAddress: undefined,
  missing: undefined,
};
