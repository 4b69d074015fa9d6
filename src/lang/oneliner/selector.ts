/**
 * Owns the first word of a one-liner: `[p|r|u]:LIBRARY:FUNCTION[+OFFSET]`, `LIBRARY:0xADDRESS`, `u:LIBRARY:[PROVIDER:]MARKER`.
 * Does not own finding what it names; that is the target.
 *
 * The name is what stands behind the last single `:`; `::` belongs to names, and a library may contain `:` when p, r or u
 * stands in front. A part in double quotes is taken as it is: lib:"ns::Foo::bar(int*)" is one exact name, not a pattern.
 */
import type { Span } from "../../base/errors.js";
import { isGlob } from "../../base/text.js";
import type { Problems } from "../problems.js";
import type { Selector } from "../tree.js";

export interface ReadSelector {
  readonly selector: Selector | undefined;
  /** The first place behind it. */
  readonly end: number;
}

/** Parses the selector that begins at `start`. What is wrong is reported, and the selector is undefined then. */
export function parseSelector(source: string, start: number, problems: Problems): ReadSelector {
  const word = readWord(source, start, problems);
  const { span } = word;
  if (span.end === span.start || /^:*$/.test(word.shape)) {
    problems.report(
      span,
      "a probe begins with the function that it watches",
      "write LIBRARY:FUNCTION, as in c:malloc",
    );
    return { selector: undefined, end: span.end };
  }
  const selector = parseWord(word, problems);
  // Why: behind a format that stands alone nothing has its place.
  const isFormat = selector === undefined && word.shape.startsWith("\u0001");
  return { selector, end: isFormat ? source.length : span.end };
}

/** The selector's characters without quotes. `shape` has U+0001 in place of every quoted one, so that only real marks are seen. */
interface Word {
  readonly text: string;
  readonly shape: string;
  readonly span: Span;
}

function readWord(source: string, start: number, problems: Problems): Word {
  let text = "";
  let shape = "";
  let at = start;
  while (at < source.length && !" \t\r\n(".includes(source[at]!)) {
    if (source[at] !== '"') {
      text += source[at];
      shape += source[at]!;
      at++;
      continue;
    }
    // Why: a quote behind a name opens the format, as in c:malloc"%d", arg1.
    if (shape !== "" && !shape.endsWith(":")) break;
    const quoted = /^"((?:[^"\\]|\\[^])*)"/.exec(source.slice(at));
    if (quoted === null) {
      problems.report({ start: at, end: at + 1 }, "this name has no closing quote", 'close it with "');
      at = source.length;
      break;
    }
    const inside = quoted[1]!.replaceAll(/\\(["\\])/g, "$1");
    text += inside;
    shape += "\u0001".repeat(inside.length);
    at += quoted[0].length;
  }
  return { text, shape, span: { start, end: at } };
}

function parseWord(word: Word, problems: Problems): Selector | undefined {
  const { text, shape, span } = word;
  const prefix = /^([prtu]?):/.exec(shape);
  const kind = prefix?.[1] === "" ? "p" : (prefix?.[1] ?? "p");
  const from = prefix?.[0].length ?? 0;
  if (kind === "t") return refuseTracepoint(text.slice(from), span, problems);
  const colons = singleColons(shape, from);
  const last = colons.at(-1);
  if (last === undefined) return refuseMissingLibrary(word, from, prefix?.[1] ?? "", problems);
  if (prefix === null && colons.length > 1) return refuseKind(text.slice(0, colons[0]), span, problems);
  if (last + 1 >= text.length) {
    const place = { start: span.end, end: span.end + 1 };
    return problems.report(
      place,
      "the name is missing behind the last colon",
      "write LIBRARY:FUNCTION, as in c:malloc",
    );
  }
  if (kind === "u") return parseMarker(word, from, colons);
  const library = text.slice(from, last);
  if (library === "") return refuseKernel(text.slice(last + 1), span, problems);
  return parsePlace(word, last + 1, library, kind === "r" ? "return" : "entry", problems);
}

function parsePlace(
  { text, shape, span }: Word,
  from: number,
  library: string,
  at: "entry" | "return",
  problems: Problems,
): Selector | undefined {
  const address = /^0[xX][\da-fA-F]+$/.exec(shape.slice(from))?.[0];
  if (address !== undefined && at === "entry")
    return { kind: "address", library, address: BigInt(address), span };
  const offset = /\+(0[xX][\da-fA-F]+|\d+)$/.exec(shape.slice(from))?.[0];
  if (at === "return" && (offset ?? address) !== undefined) {
    return problems.report(
      span,
      "a return belongs to a whole function",
      `name the function alone, or watch the place itself with p:${library}:${text.slice(from)}`,
    );
  }
  const end = text.length - (offset?.length ?? 0);
  const distance = Number(offset?.slice(1) ?? 0);
  if (end === from || !Number.isSafeInteger(distance)) {
    return problems.report(span, "this is no place in a function", "write FUNCTION+OFFSET, as in main+0x1d");
  }
  return {
    kind: "function",
    at,
    library,
    symbol: patternOf(text.slice(from, end), shape.slice(from, end)),
    offset: distance,
    span,
  };
}

function parseMarker({ text, shape, span }: Word, from: number, colons: readonly number[]): Selector {
  const last = colons.at(-1)!;
  const before = colons.at(-2);
  const libraryEnd = before ?? last;
  return {
    kind: "marker",
    library: text.slice(from, libraryEnd),
    provider:
      before === undefined
        ? undefined
        : patternOf(text.slice(before + 1, last), shape.slice(before + 1, last)),
    marker: patternOf(text.slice(last + 1), shape.slice(last + 1)),
    span,
  };
}

/** Where `:` stands alone; the first of an odd run counts, as in `lib:::name`. */
function singleColons(shape: string, from: number): number[] {
  const places: number[] = [];
  for (const run of shape.slice(from).matchAll(/:+/g)) {
    if (run[0].length % 2 === 1) places.push(from + run.index);
  }
  return places;
}

/** A quoted `*` means itself, which only a pattern has to say. */
function patternOf(text: string, shape: string): string {
  if (!isGlob(text)) return text;
  return [...text.matchAll(/[^]/g)]
    .map(({ 0: unit, index }) => (shape[index] === "\u0001" && "*?[\\".includes(unit) ? `\\${unit}` : unit))
    .join("");
}

function refuseMissingLibrary(
  { text, shape, span }: Word,
  from: number,
  kind: string,
  problems: Problems,
): undefined {
  const name = text.slice(from);
  if (shape.startsWith("\u0001") && /[% ]/.test(text))
    return problems.report(
      span,
      "this is a format without a probe in front of it",
      `put both into the same quotes: 'LIBRARY:FUNCTION "${text.replace(/,$/, "")}", arg1'`,
    );
  if (kind === "" && !name.includes("::")) return refuseKernel(name, span, problems);
  if (kind === "u" && name.includes("/"))
    return problems.report(
      span,
      `which marker of ${name}?`,
      `write u:${name}:MARKER; list them: uscope list -u ${name}`,
    );
  const shown = kind === "" ? "" : `${kind}:`;
  return problems.report(span, `in which file is "${name}"?`, `write ${shown}LIBRARY:${name}`);
}

function refuseKernel(name: string, span: Span, problems: Problems): undefined {
  return problems.report(
    span,
    `without a library, "${name}" means a function of the kernel, and uscope traces user programs`,
    `write LIBRARY:${name} for a user function; for the kernel use bpftrace -e 'kprobe:${name} { ... }' or perf probe ${name}`,
  );
}

function refuseTracepoint(name: string, span: Span, problems: Problems): undefined {
  return problems.report(
    span,
    `"${name}" is a tracepoint of the kernel, and uscope traces user programs`,
    `use bpftrace -e 'tracepoint:${name} { ... }' or perf trace -e ${name}`,
  );
}

function refuseKind(kind: string, span: Span, problems: Problems): undefined {
  return problems.report(
    { start: span.start, end: span.start + kind.length },
    `"${kind}" is no kind of probe`,
    "begin with p: (entry), r: (return) or u: (marker); a library that contains a colon needs one of them too",
  );
}
