/**
 * Owns which markers are the beginning and the end of one thing by their names: query__start and query__done.
 * Does not own finding their places (markers.ts).
 */
import type { Marker } from "../usdt/marker.js";

export interface MarkerPair {
  readonly begin: Marker;
  readonly end: Marker;
}

/** How names of beginnings end, and what may stand there at the end, the most usual first. */
const words: Readonly<Record<string, readonly string[]>> = {
  start: ["done", "stop", "end", "finish", "complete"],
  begin: ["end", "done", "finish", "complete"],
  entry: ["return", "exit", "leave"],
  enter: ["exit", "leave", "return", "entered"],
  startup: ["shutdown"],
};

/** Finds for each of some markers of a file what ends it; a marker that begins nothing, or that nothing ends, is in no pair. */
export function findMarkerPairs(some: readonly Marker[], all: readonly Marker[]): readonly MarkerPair[] {
  const known = new Map(all.map((marker) => [keyOf(marker.provider, marker.name), marker]));
  return some.flatMap((begin) => {
    const end = endNames(begin.name)
      .map((name) => known.get(keyOf(begin.provider, name)))
      .find((other) => other !== undefined);
    return end === undefined ? [] : [{ begin, end }];
  });
}

/** Proof: names in notes end at their first NUL. */
function keyOf(provider: string, name: string): string {
  return `${provider}\0${name}`;
}

/** What a pair is called. */
export function pairName({ begin, end }: MarkerPair): string {
  return `${begin.provider}:${begin.name}..${end.name}`;
}

/** The names that may end a marker, in the order in which they are looked for. */
export function endNames(name: string): readonly string[] {
  const quote = name.endsWith('"') ? '"' : "";
  const end = name.length - quote.length;
  let start = end;
  // Why no pattern: its time grows with the square of the length of a name, and a file may lie.
  while (start > 0 && /[a-z]/.test(name[start - 1]!)) start--;
  const [before, word] = [name.slice(0, start), name.slice(start, end)];
  // Why so: a name is the word alone, or the word stands behind a mark.
  if (before !== "" && !/[-_"]$/.test(before)) return [];
  const ends = Object.hasOwn(words, word) ? words[word]! : [];
  return ends.map((other) => `${before}${other}${quote}`);
}
