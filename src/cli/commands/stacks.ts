/** Owns the command line of `uscope stacks`. Does not own counting (tools/stacks.ts). */
import { stacks } from "../../tools/stacks.js";
import type { Command } from "../command.js";
import type { ParsedOptions } from "../options.js";
import {
  intervalOptions,
  readInterval,
  readWatching,
  refuseRegexp,
  regexpOption,
  usage,
  watchingOptions,
} from "../watching.js";

export const command: Command = {
  name: "stacks",
  usage: "[OPTIONS] PATTERN ... [-- COMMAND ARGS ...]",
  purpose: [
    "Counts the stacks on which the functions of a PATTERN are reached, in the kernel, and prints them when it ends: the function first,",
    "below it who called it, and how often. PATTERN is FILE:FUNCTION, FUNCTION a name or a glob ('redis-server:*Command', './app:*').",
    "u:FILE:MARKER and u:FILE:PROVIDER:MARKER are markers (USDT): below the marker stands the function that holds it.",
    "Stacks are walked by frame pointers: programs built without them (-fomit-frame-pointer) show little more than the direct caller.",
  ].join("\n"),
  options: [
    ...intervalOptions,
    { name: "top", letter: "n", value: "N", help: "show only the N largest counts; the total is of all" },
    {
      name: "folded",
      letter: "f",
      help: "print a line a stack, outermost first: what flame graph tools read",
    },
    { name: "per-process", letter: "P", help: "keep processes apart, and thread names" },
    { name: "offsets", letter: "s", help: "show, and keep apart, the places inside the callers" },
    { name: "cpu", value: "N", help: "count only what runs on this processor" },
    ...watchingOptions.map((row) => (row.name === "duration" ? { ...row, alias: "D" } : row)),
    regexpOption,
  ],
  examples: [
    ["uscope stacks -p 1234 -d 10 c:malloc", "who makes a process allocate, for ten seconds"],
    ["uscope stacks -p 1234 u::libstdcxx:throw", "where a program throws C++ exceptions"],
    ["uscope stacks -P 'redis-server:rdbSave*'", "what leads to a snapshot, in each server, until Ctrl-C"],
    [
      "uscope stacks -f './app:*' -- ./app > app.folded; flamegraph.pl app.folded > app.svg",
      "all calls of a program as a flame graph",
    ],
    [
      "uscope stacks --json -n 5 c:write -- ./app | jq -c '[.count, .stack[1]]'",
      "for other programs: one JSON object a line",
    ],
  ],
  notes:
    "Exit code: 0 when counting ended as asked (Ctrl-C, -d, end of the process), 1 on an error, 2 on a wrong command line.",
  run,
};

async function run(parsed: ParsedOptions): Promise<number> {
  refuseRegexp("stacks", parsed);
  const watched = readWatching("stacks", parsed.arguments, parsed);
  const interval = readInterval("stacks", parsed);
  const folded = parsed.has("folded");
  const timestamps = parsed.has("timestamp");
  if (folded && watched.json)
    throw usage("stacks", "-f and --json exclude each other", "leave one of them out");
  if (folded && (interval !== undefined || timestamps))
    throw usage(
      "stacks",
      "-f goes without -i and -T: its lines are stacks and nothing else",
      "-d SECONDS -f",
    );
  return stacks({
    ...watched,
    interval,
    timestamps,
    folded,
    top: parsed.number("top", 1),
    cpu: parsed.number("cpu"),
    perProcess: parsed.has("per-process"),
    offsets: parsed.has("offsets"),
  });
}
