/**
 * Owns which markers of a file a list is about, what is said when there are none, and which notes were damaged.
 * Does not own how markers are shown (marker-list.ts).
 */
import { NotFoundError } from "../base/errors.js";
import type { Binary } from "../target/binary.js";
import { noSuchMarker } from "../target/markers.js";
import type { Marker } from "../usdt/marker.js";
import { matchesMarker } from "../usdt/names.js";

/** The markers of a file that patterns mean; without patterns all. */
export class FileMarkers {
  readonly binary: Binary;
  readonly markers: readonly Marker[];

  constructor(binary: Binary, patterns: readonly string[]) {
    this.binary = binary;
    const { markers } = binary.markers;
    this.markers =
      patterns.length === 0
        ? markers
        : markers.filter((marker) => patterns.some((pattern) => matchesMarker(pattern, marker)));
  }

  has(pattern: string): boolean {
    return this.markers.some((marker) => matchesMarker(pattern, marker));
  }
}

export interface MarkerSearch {
  /** As the person named it; undefined for all that a process maps. */
  readonly target: string | undefined;
  /** The files that were looked at. */
  readonly where: string;
  readonly patterns: readonly string[];
}

/** Throws a NotFoundError unless there are markers, and some for each pattern. */
export function requireMarkers(files: readonly FileMarkers[], search: MarkerSearch): void {
  const binaries = files.map(({ binary }) => binary);
  if (binaries.every(({ markers }) => markers.markers.length === 0)) throw withoutMarkers(binaries, search);
  const missing = search.patterns.find((pattern) => !files.some((file) => file.has(pattern)));
  if (missing === undefined) return;
  const [, provider, marker = missing] = /^([^:]*):(.*)$/s.exec(missing) ?? [];
  throw noSuchMarker({ library: search.target ?? "", provider, marker }, binaries, search.where);
}

function withoutMarkers(binaries: readonly Binary[], { target, where }: MarkerSearch): NotFoundError {
  const damages = binaries.reduce((sum, { markers }) => sum + markers.damaged.length, 0);
  if (damages > 0)
    return new NotFoundError({
      what: `no marker of ${target ?? "these files"} can be read: ${damages === 1 ? "its one note is" : `all ${damages} notes are`} damaged`,
      at: where,
      fix: "install the file again",
    });
  return new NotFoundError({
    what: `no markers in ${target ?? "these files"}`,
    at: `${where}, no note of a marker (section .note.stapsdt)`,
    fix:
      target === undefined
        ? "probe functions: uscope list -p PID shows the files that have some; markers are compiled in, or not (--enable-dtrace, --with-dtrace)"
        : `probe its functions: uscope list ${target}; libraries that a program loads may have markers: uscope list -u -p PID`,
  });
}

/** What was left out of a file's markers, each with its place and reason, as far as a person would read on. */
export function damageNotes({ path, markers: { damaged } }: Binary): string[] {
  if (damaged.length === 0) return [];
  const notes =
    damaged.length === 1 ? "1 damaged marker note was" : `${damaged.length} damaged marker notes were`;
  const rest = damaged.length - mostDamages;
  return [
    `${path}: ${notes} left out`,
    ...damaged.slice(0, mostDamages).map(({ at, reason }) => `${path}: ${at}: ${reason}`),
    ...(rest > 0 ? [`${path}: and ${rest} more`] : []),
  ];
}

const mostDamages = 10;
