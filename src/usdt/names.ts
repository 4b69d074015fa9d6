/**
 * Owns how people may write the names of markers and providers.
 * Does not own which markers there are.
 */
import { globMatcher } from "../base/text.js";
import type { Marker } from "./marker.js";

/** Says whether a name, or a glob over names, means a marker or provider: `__` and `-` are alike, quotes around a name do not count. */
export function matchesMarkerName(pattern: string, name: string): boolean {
  if (pattern === name) return true;
  // Why both: `query_*` means query__start as well.
  return [normalise(pattern), unquote(pattern)].some((wanted, index) =>
    globMatcher(wanted)(index === 0 ? normalise(name) : unquote(name)),
  );
}

/** Says whether a name or a glob means a marker by its own name, or by `provider:name`. */
export function matchesMarker(
  pattern: string,
  { provider, name }: Pick<Marker, "provider" | "name">,
): boolean {
  return (
    matchesMarkerName(pattern, name) || matchesMarkerName(pattern, `${unquote(provider)}:${unquote(name)}`)
  );
}

/** Returns a name as providers' own definitions write it: without quotes, `__` for a hyphen. */
export function plainName(name: string): string {
  return unquote(name).replaceAll("-", "__");
}

/** Why: DTrace shows two underscores of a C name as a hyphen. */
function normalise(name: string): string {
  return unquote(name).replaceAll("__", "-");
}

/** Why: a macro that is given "name" in place of name writes the quotes into the note. */
function unquote(name: string): string {
  return /^"(.*)"$/s.exec(name)?.[1] ?? name;
}
