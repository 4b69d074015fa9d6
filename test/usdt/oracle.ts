/** Owns what readelf says about the markers of a file, as lines that tests compare. Does not own what uscope says. */
import type { MarkerTable } from "../../src/usdt/marker.js";
import { run } from "../elf/oracle.js";

/** One line a note, as `readelf -n` prints it: names, address, semaphore (0 for none) and arguments; in the order of the file. */
export function readelfMarkers(path: string): string[] {
  const text = run("readelf", "-nW", path);
  const note =
    / {4}Provider: (.*)\n {4}Name: (.*)\n {4}Location: 0x([0-9a-f]+), Base: 0x([0-9a-f]+), Semaphore: 0x([0-9a-f]+)\n {4}Arguments: (.*)$/gm;
  return [...text.matchAll(note)].map(([, provider, name, location, , semaphore, written]) =>
    lineOf(provider!, name!, [Number.parseInt(location!, 16), Number.parseInt(semaphore!, 16)], written!),
  );
}

/** The same of uscope's markers; of a file whose notes need no correction. */
export function readLines({ markers }: MarkerTable): string[] {
  return markers.flatMap(({ provider, name, sites }) =>
    sites.map((site) => lineOf(provider, name, [site.address, site.semaphore ?? 0], site.rawArguments)),
  );
}

function lineOf(provider: string, name: string, addresses: readonly number[], written: string): string {
  return [provider, name, ...addresses.map((address) => address.toString(16)), written].join(" | ");
}
