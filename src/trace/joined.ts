/**
 * Owns arming many programs of one probe in one file through few links: what differs only in its program is joined.
 * Does not own the joined program (bpf/join.ts). Why: markers differ in where their arguments lie, place by place, and the 200
 * programs of all markers of a JVM took 9 s to be let go of one by one.
 */
import { joinPrograms, mostPrograms, mostSlots, slotsOfProgram } from "../bpf/join.js";
import { choiceBit, withChoice } from "../lang/event.js";
import type { Attachment } from "./session.js";

/** Links of one file that are not worth joining: to choose a program costs each hit a call. */
const mostLinks = 4;

/** Joins attachments of one probe. */
export function joinAttachments(attachments: readonly Attachment[]): readonly Attachment[] {
  const alike = new Map<string, Attachment[]>();
  for (const attachment of attachments) {
    const { openPath, returns, program } = attachment;
    const key = `${openPath} ${returns} ${program.sleepable}`;
    const known = alike.get(key);
    if (known === undefined) alike.set(key, [attachment]);
    else known.push(attachment);
  }
  return [...alike.values()].flatMap((list) => (list.length > mostLinks ? chunksOf(list).map(join) : list));
}

/** As many together as one program may hold. */
function chunksOf(attachments: readonly Attachment[]): Attachment[][] {
  const chunks: Attachment[][] = [];
  let slots = 0;
  for (const attachment of attachments) {
    const own = slotsOfProgram(attachment.program);
    slots += own;
    const last = chunks.at(-1);
    if (last !== undefined && slots <= mostSlots && last.length < mostPrograms) last.push(attachment);
    else {
      chunks.push([attachment]);
      slots = own;
    }
  }
  return chunks;
}

function join(attachments: readonly Attachment[]): Attachment {
  const first = attachments[0]!;
  if (attachments.length === 1) return first;
  const sites = attachments.flatMap((attachment, choice) =>
    attachment.sites.map((site) => ({ ...site, cookie: withChoice(site.cookie, choice) })),
  );
  const programs = attachments.map(({ program }) => program);
  return { ...first, sites, program: joinPrograms(programs, choiceBit) };
}
