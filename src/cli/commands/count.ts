/** Owns the command line of `uscope count`. Does not own counting (tools/count.ts). */
import { count } from "../../tools/count.js";
import type { Command } from "../command.js";
import type { ParsedOptions } from "../options.js";
import {
  intervalOptions,
  readInterval,
  readWatching,
  refuseRegexp,
  regexpOption,
  watchingOptions,
} from "../watching.js";

export const command: Command = {
  name: "count",
  usage: "[OPTIONS] PATTERN ... [-- COMMAND ARGS ...]",
  purpose: [
    "Counts the calls of every function that a PATTERN means, in the kernel, and prints a table when it ends. PATTERN is FILE:FUNCTION,",
    "FUNCTION a name or a glob ('redis-server:*Command', './app:*'); tens of thousands of functions cost no more to watch than one.",
    "u:FILE:MARKER and u:FILE:PROVIDER:MARKER are markers (USDT), counted by provider:name; without FILE (u::hotspot:gc__*) those of any.",
    "Functions that were not called are not shown. With -i on a terminal, the table is renewed in place, largest counts first.",
  ].join("\n"),
  options: [
    ...intervalOptions,
    { name: "top", letter: "n", value: "N", help: "show only the N largest counts; the total is of all" },
    { name: "cpu", value: "N", help: "count only what runs on this processor" },
    ...watchingOptions,
    regexpOption,
    { name: "debug", letter: "D", help: "the same as -v, in BCC's word" },
  ],
  examples: [
    [
      "uscope count 'redis-server:*Command' -d 10",
      "which commands a running redis executes, for ten seconds",
    ],
    [
      "uscope count -p 1234 -i 1 --top 20 '/usr/bin/node:*'",
      "the 20 functions that node calls most, every second",
    ],
    ["uscope count 'c:*alloc' 'c:free' -- ls", "how often a command allocates and frees"],
    ["uscope count -p 1234 -d 10 'u:libjvm.so:hotspot:gc__*'", "how often a JVM collects garbage: by marker"],
    ["uscope count --json './app:*' -- ./app | jq .function", "for other programs: one JSON object a line"],
  ],
  notes:
    "Exit code: 0 when counting ended as asked (Ctrl-C, -d, end of the process), 1 on an error, 2 on a wrong command line.",
  run,
};

async function run(parsed: ParsedOptions): Promise<number> {
  refuseRegexp("count", parsed);
  const watched = readWatching("count", parsed.arguments, parsed);
  return count({
    ...watched,
    interval: readInterval("count", parsed),
    top: parsed.number("top", 1),
    timestamps: parsed.has("timestamp"),
    cpu: parsed.number("cpu"),
  });
}
