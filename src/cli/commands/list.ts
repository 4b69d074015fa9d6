/** Owns the command line of `uscope list`. Does not own listing (tools/list.ts). */
import { UsageError } from "../../base/errors.js";
import { isGlob } from "../../base/text.js";
import { list } from "../../tools/list.js";
import type { Command } from "../command.js";

export const command: Command = {
  name: "list",
  usage:
    "[OPTIONS] TARGET [PATTERN ...]\n       uscope list -p PID [TARGET [PATTERN ...]]\n       uscope list -u -p PID [PATTERN ...]",
  purpose: [
    "Lists the functions of TARGET (a path, a command on PATH, or a library such as c or libssl.so.3) by address: size, binding, kind and name; then its markers (USDT).",
    "PATTERN is a glob over names, linked or demangled ('ssl_*', '*::push_back'), and over markers ('gc__*', 'hotspot:*'). Names from a debug file under /usr/lib/debug count as well.",
    "With -p, TARGET is looked up in what the process has mapped; without TARGET the mapped files themselves are listed, with -u or -v the markers in them; then a TARGET that is no file (gc__start) is a PATTERN.",
  ].join("\n"),
  options: [
    { name: "markers", letter: "u", help: "only markers (USDT), one PROVIDER:NAME a line" },
    {
      name: "verbose",
      letter: "v",
      help: "of markers: where they stand, what a hit costs, the semaphore, the arguments in words",
    },
    { name: "pid", letter: "p", value: "PID", help: "look at what this process has mapped" },
    { name: "mangled", letter: "m", help: "show names as the linker knows them" },
    { name: "json", help: "print one JSON object a line, with all that is known" },
  ],
  examples: [
    ["uscope list redis-server 'create*'", "functions whose name begins so"],
    ["uscope list stdc++ '*basic_string*::reserve*'", "C++ names as people write them"],
    ["uscope list -u libjvm.so 'gc__*'", "markers of a library"],
    ["uscope list -uv python3.11 gc__start", "all that is known of a marker"],
    ["uscope list -u -p 1234", "the markers of all files that process 1234 has mapped"],
    ["uscope list -p 1234", "the files that process 1234 has mapped"],
    ["uscope list -p 1234 c 'malloc*'", "functions of the libc that process 1234 really runs"],
  ],
  notes:
    "KIND is function, ifunc (a resolver: the dynamic loader calls it once and uses what it returns), alias (the address of the line above), or marker (one line for each place).",
  async run(parsed) {
    const pid = parsed.number("pid", 1);
    const [onlyMarkers, verbose] = [parsed.has("markers"), parsed.has("verbose")];
    const meansMarkers = pid !== undefined && (onlyMarkers || verbose);
    const [first] = parsed.arguments;
    const isPattern = meansMarkers && first !== undefined && isMarkerPattern(first);
    const target = isPattern ? undefined : first;
    const patterns = isPattern ? parsed.arguments : parsed.arguments.slice(1);
    if (target === undefined && pid === undefined) {
      throw new UsageError({
        what: "nothing to list",
        at: "uscope list",
        fix: "uscope list redis-server, or uscope list -p PID",
      });
    }
    return await list({
      target,
      patterns,
      pid,
      json: parsed.has("json"),
      mangled: parsed.has("mangled"),
      onlyMarkers,
      verbose,
    });
  },
};

/** Says of the first word whether it can be no file: a glob, or PROVIDER:NAME. A file in memory is named `memfd:NAME`. */
function isMarkerPattern(word: string): boolean {
  return !word.includes("/") && !word.startsWith("memfd:") && (isGlob(word) || word.includes(":"));
}
