/**
 * Owns the sites of a session: their numbers, what they are called, and which are armed together.
 * Does not own finding them (target/resolve.ts) nor arming them (session.ts).
 */
import { isGlob } from "../base/text.js";
import { demangle } from "../demangle/demangle.js";
import type { UprobeSite } from "../kernel/uprobes.js";
import type { CompiledProbe } from "../lang/compile.js";
import { cookieOf } from "../lang/event.js";
import type { CallerRule } from "../lang/target.js";
import type { Selector } from "../lang/tree.js";
import type { Site } from "../target/site.js";
import type { TracedProbe, TracedSite } from "./probe.js";
import type { Attachment } from "./session.js";

/** Sites that share program, file and kind of trap are armed together; a site's number, with its rule, is its cookie. */
export function groupSites(
  sites: readonly Site[],
  { first, rules }: { readonly first: number; readonly rules: readonly CallerRule[] },
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
        attachment: { program: programs[layout]!, openPath, shownPath, returns, sites: members },
        members,
      };
      groups.set(key, group);
    }
    const cookie = cookieOf(first + index, rules[index] ?? "complete");
    group.members.push({ offset: site.offset, semaphore: site.semaphore, cookie });
  });
  return [...groups.values()].map(({ attachment }) => attachment);
}

/** Why a getter: of 78,000 places of a pattern few are hit, and a demangled name costs more than arming its place. */
export function tracedSite(probe: TracedProbe, selector: Selector, site: Site): TracedSite {
  let label: string | undefined;
  return {
    probe,
    get label() {
      return (label ??= labelOf(selector, site));
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
