/**
 * Owns choosing, for a record, the decoder of its probe and shape.
 * Does not own decoding (shapes.ts).
 */
import { assert } from "../../base/assert.js";
import { pidOf } from "../events.js";
import type { EventRecord } from "../events.js";
import type { Plan } from "../plan.js";
import type { TracedProbe } from "../probe.js";
import { decoderOf } from "./shapes.js";
import type { Decoder, Names } from "./shapes.js";

/** What decoders need of a trace. */
export interface DecodedTrace extends Pick<Plan, "probes" | "sites"> {
  readonly printAddress: (pid: number, address: bigint) => string;
}

/** Reads a record of the site into what its probe returned; of a probe with a name into `{ name, event }`. */
export function eventDecoders(
  { probes, sites, printAddress }: DecodedTrace,
  names: readonly (string | undefined)[],
): (site: number, record: EventRecord) => unknown {
  const resolving: Names = {
    address: (record, address) => printAddress(pidOf(record), address),
    site: (site) => sites[site]?.label ?? `site ${site}`,
  };
  // Why not beforehand: what the events of a marker hold is known when a file with it is found, which may be later.
  const decoders: Decoder[] = [];
  return (site, record) => {
    const { number } = sites[site]!.probe;
    decoders[number] ??= probeDecoder(probes[number]!, resolving);
    const event = decoders[number](record);
    const name = names[number];
    return name === undefined ? event : { name, event };
  };
}

function probeDecoder({ event, values }: TracedProbe, names: Names): Decoder {
  assert(values !== undefined, "a one-liner among probe functions");
  const { shapes, shapeFields, shapeField } = values;
  const decoders = shapes.map((shape, index) => {
    const { first, count } = shapeFields[index]!;
    return decoderOf(shape, event.fields.slice(first, first + count), first, names);
  });
  if (shapeField === undefined) {
    const [only] = decoders;
    return only ?? (() => undefined);
  }
  const { offset } = event.fields[shapeField]!;
  return (record) => decoders[record.view.getUint32(record.at + offset, true)]!(record);
}
