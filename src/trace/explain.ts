/**
 * Owns the words of -v about one probe: its places and what a hit there costs, its tree, IR and bytecode.
 * Does not own the verifier's words (session.ts).
 */
import type { CompiledProbe } from "../lang/compile.js";
import type { ResolvedProbe } from "../target/resolve.js";
import { predictCost } from "../target/cost.js";
import type { Site } from "../target/site.js";

/** Places that are shown one by one. */
const shownSites = 20;

/** Prints what a probe became. */
export function printProbe(probe: CompiledProbe, { sites }: ResolvedProbe): string {
  const { tree, ir, assembly } = probe.print();
  const more = sites.length > shownSites ? [`  and ${sites.length - shownSites} more`] : [];
  return [
    "sites:",
    ...sites.slice(0, shownSites).map(printSite),
    ...more,
    "tree:",
    indent(tree),
    "IR:",
    indent(ir),
    "bytecode:",
    indent(assembly),
  ].join("\n");
}

function printSite(site: Site): string {
  const cost = predictCost(site);
  const how = site.trap === "uretprobe" ? `${site.cost}, and the return` : site.cost;
  return `  ${site.binary.path} offset 0x${site.offset.toString(16)} ${site.role} of ${site.names.join(" = ")}: about ${cost} ns a hit (${how})`;
}

function indent(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, "  ");
}
