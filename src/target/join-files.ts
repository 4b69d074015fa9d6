/**
 * Owns bringing the sites of one selector in several files together: their layouts numbered as one list, what was left out, and the
 * error when nothing is left. Does not own finding them (places.ts, markers.ts).
 */
import { NotFoundError, UnsupportedError } from "../base/errors.js";
import type { Layout, Target } from "../lang/target.js";
import { uniteArguments } from "./marker-layouts.js";
import type { FoundSites } from "./places.js";
import type { ResolvedProbe } from "./resolve.js";
import type { Site, SkippedSite } from "./site.js";

type Selector = Parameters<Target["resolve"]>[0];

/** What a selector means, of what was found in each file; `users` as in ResolvedProbe. Throws where no place is left. */
export function joinFiles(
  selector: Selector,
  found: readonly FoundSites[],
  { notes, users }: { readonly notes: Set<string>; readonly users: ResolvedProbe["users"] },
): ResolvedProbe {
  const parts = selector.kind === "marker" ? uniteParts(found) : found;
  return { ...merge(selector, parts, notes), users };
}

/** Why over all: the events of a probe are of one kind, whichever file they come from. */
function uniteParts(found: readonly FoundSites[]): readonly FoundSites[] {
  const layouts = [
    ...uniteArguments(
      found.flatMap((part) => part.layouts),
      found.flatMap(({ markers = [] }) => markers),
    ),
  ];
  return found.map((part) => ({ ...part, layouts: layouts.splice(0, part.layouts.length) }));
}

/** Brings the sites of several files together: equal layouts once, numbered anew. */
function merge(
  selector: Selector,
  found: readonly FoundSites[],
  notes: Set<string>,
): Omit<ResolvedProbe, "users"> {
  const layouts: Layout[] = [];
  const keys = new Map<string, number>();
  const sites: Site[] = [];
  for (const part of found) {
    const numbers = part.layouts.map((layout) => {
      const key = JSON.stringify(layout, (_, value: unknown) =>
        typeof value === "bigint" ? `${value}n` : value,
      );
      const number = keys.get(key) ?? layouts.push(layout) - 1;
      keys.set(key, number);
      return number;
    });
    for (const site of part.sites) {
      const layout = numbers[site.layout]!;
      sites.push(layout === site.layout ? site : { ...site, layout });
    }
    for (const note of part.notes) notes.add(note);
  }
  const architecture = found[0]!.architecture;
  if (found.some((part) => part.architecture !== architecture)) throw mixedMachines(selector);
  const skipped = found.flatMap((part) => part.skipped);
  if (sites.length === 0) throw nothingLeft(selector, skipped);
  return { architecture, layouts, sites, skipped, notes: [...notes] };
}

function nothingLeft(selector: Selector, skipped: readonly SkippedSite[]): NotFoundError | UnsupportedError {
  const first = skipped[0];
  const count = `${skipped.length} ${skipped.length === 1 ? "place" : "places"} found`;
  const files = selector.kind === "marker" ? "the files that are mapped" : "the process's own program";
  const at = `${selector.library || files}, ${count}`;
  if (first === undefined)
    return new NotFoundError({ what: "no place to probe", at, fix: "choose another function" });
  const more = skipped.length === 1 ? "" : ` (and ${skipped.length - 1} more like it)`;
  return new UnsupportedError({
    what: `${first.name} cannot be probed: ${first.reason}${more}`,
    at,
    fix: first.alternative,
  });
}

function mixedMachines(selector: Selector): UnsupportedError {
  return new UnsupportedError({
    what: "the processes run on different machines' code",
    at: selector.library,
    fix: "trace each with its own uscope",
  });
}
