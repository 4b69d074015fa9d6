/**
 * Owns joining the entries and returns of a span: the functions of which both can be armed.
 * Does not own finding places (target/resolve.ts).
 */
import { UnsupportedError } from "../base/errors.js";
import type { ResolvedProbe } from "../target/resolve.js";
import type { Site } from "../target/site.js";

export interface SitePair {
  readonly entry: Site;
  readonly exit: Site;
}

/** Pairs by file and function; what has only one of the two is left out, since its calls would never end or never begin. */
export function pairSites(entries: ResolvedProbe, exits: ResolvedProbe): readonly SitePair[] {
  const byPlace = new Map(exits.sites.map((site) => [placeOf(site), site]));
  const pairs = entries.sites.flatMap((entry) => {
    const exit = byPlace.get(placeOf(entry));
    return exit === undefined ? [] : [{ entry, exit }];
  });
  if (pairs.length > 0) return pairs;
  const reason = exits.skipped[0] ?? entries.skipped[0];
  throw new UnsupportedError({
    what: `no function of this span can be watched at both its ends${reason === undefined ? "" : `: ${reason.reason}`}`,
    at: entries.sites[0]?.names[0] ?? "no place",
    fix: reason?.alternative ?? "watch its entry with uprobe()",
  });
}

function placeOf({ binary, address }: Site): string {
  return `${binary.fd} ${address}`;
}
