/**
 * Owns the sites of a session: their numbers, what they are called, and which are armed together.
 * Does not own finding them (target/places.ts) nor arming them (session.ts).
 */
import { escapeControls, isGlob } from "../base/text.js";
import { demangle } from "../demangle/demangle.js";
import type { UprobeSite } from "../kernel/uprobes.js";
import type { CompiledProbe } from "../lang/compile.js";
import { cookieOf } from "../lang/event.js";
import type { CallerRule } from "../lang/target.js";
import type { Selector } from "../lang/tree.js";
import { isTwinFile } from "../target/binary.js";
import type { Binary } from "../target/binary.js";
import type { Site } from "../target/site.js";
import type { TracedProbe, TracedSite } from "./probe.js";
import type { Attachment } from "./session.js";

/** What a session knows of the sites of one probe. */
export interface SiteNumbers {
  readonly probe: number;
  /** Number of the first site among those of all probes. */
  readonly first: number;
  /** One per site, or none. */
  readonly rules: readonly CallerRule[];
  /** Processes to arm the sites of a file in; empty: in all. */
  readonly pidsOf: (binary: Binary) => readonly number[];
}

/** Sites that share program, file and kind of trap are armed together; a site's number, with its rule, is its cookie. */
export function groupSites(
  sites: readonly Site[],
  { probe, first, rules, pidsOf }: SiteNumbers,
  { programs }: CompiledProbe,
): Attachment[] {
  const groups = new Map<string, { readonly attachment: Attachment; readonly members: UprobeSite[] }>();
  sites.forEach((site, index) => {
    const { binary, layout, trap } = site;
    const key = `${layout} ${binary.fd} ${trap}`;
    let group = groups.get(key);
    if (group === undefined) {
      const members: UprobeSite[] = [];
      const { openPath, path: shownPath } = binary;
      const returns = trap === "uretprobe";
      group = {
        attachment: {
          probe,
          program: programs[layout]!,
          openPath,
          shownPath,
          returns,
          sites: members,
          pids: pidsOf(binary),
        },
        members,
      };
      groups.set(key, group);
    }
    const cookie = cookieOf(first + index, rules[index] ?? "complete");
    group.members.push({ offset: site.offset, semaphore: site.semaphore, cookie });
  });
  return [...groups.values()].map(({ attachment }) => attachment);
}

/**
 * Leaves out the sites of files that are earlier ones seen through another overlay mount: what is armed in all processes at
 * once would report each hit through each of them.
 */
export function withoutTwins(sites: readonly Site[]): readonly Site[] {
  const binaries = [...new Set(sites.map(({ binary }) => binary))];
  if (binaries.length < 2) return sites;
  const twins = new Set(
    binaries.filter((binary, index) => binaries.slice(0, index).some((other) => isTwinFile(other, binary))),
  );
  return twins.size === 0 ? sites : sites.filter(({ binary }) => !twins.has(binary));
}

/** Why a getter: of 78,000 places of a pattern few are hit, and a demangled name costs more than arming its place. */
export function tracedSite(probe: TracedProbe, selector: Selector, site: Site): TracedSite {
  let label: string | undefined;
  return {
    probe,
    get label() {
      return (label ??= escapeControls(labelOf(selector, site)));
    },
  };
}

/** What the FUNC column shows: an exact name as it was typed, of a pattern each function's own. */
function labelOf(selector: Selector, site: Site): string {
  if (selector.kind === "address") return `0x${selector.address.toString(16)}`;
  if (selector.kind === "marker") return `${selector.provider ?? ""}:${selector.marker}`;
  if (isGlob(selector.symbol)) return demangle(site.names[0]!) ?? site.names[0]!;
  return selector.offset === 0 ? selector.symbol : `${selector.symbol}+0x${selector.offset.toString(16)}`;
}
