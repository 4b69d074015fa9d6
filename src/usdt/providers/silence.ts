/**
 * Owns which markers runtimes pass only when they are told to, and what tells them.
 * Does not own when that is said (trace/silence.ts).
 */
import { matchesMarkerName, plainName } from "../names.js";

/** Provider, its markers as globs, what makes the runtime pass them. */
const rows: readonly (readonly [provider: string, markers: string, condition: string])[] = [
  [
    "hotspot",
    "method__* object__alloc",
    "Java passes it only with -XX:+ExtendedDTraceProbes (from JDK 19 on -XX:+DTraceMethodProbes, -XX:+DTraceAllocProbes)",
  ],
  [
    "php",
    "function__* execute__* compile__file__*",
    "PHP passes it only where it was started with USE_ZEND_DTRACE=1",
  ],
  ["python", "function__*", "CPython 3.11 passes it only while somebody watches the marker line too"],
  ["ruby", "method__*", "Ruby passes it only while the program has a TracePoint for calls and returns"],
];

/** What has to be done before a marker is passed, where that is known. */
export function findCondition(provider: string, name: string): string | undefined {
  const plain = plainName(provider);
  return rows.find(
    ([own, markers]) =>
      own === plain && markers.split(" ").some((pattern) => matchesMarkerName(pattern, name)),
  )?.[2];
}
