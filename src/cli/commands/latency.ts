/** Owns the command line of `uscope latency`. Does not own timing (tools/latency.ts). */
import { latency } from "../../tools/latency.js";
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
  name: "latency",
  usage: "[OPTIONS] PATTERN ... [-- COMMAND ARGS ...]",
  purpose: [
    "Measures how long functions take, from entry to return, in the kernel; prints for each function a histogram, p50, p90 and p99,",
    "average, total and count, and for several a table of all. PATTERN is FILE:FUNCTION, FUNCTION a name or a glob. A function that",
    "calls itself gives a value for each depth, up to 64. What cannot be watched safely at its return is skipped and named.",
    "Of markers (USDT) PATTERN is a pair: u:FILE:BEGIN..END, or u:FILE:BEGIN alone where the names say what ends it, as query__start and",
    "query__done do; PLACE..r:FILE:FUNCTION and the like are a pair of any two places.",
  ].join("\n"),
  options: [
    {
      name: "function",
      letter: "F",
      help: "a histogram of every function, not of the 10 with the largest total alone",
    },
    { name: "top", letter: "n", value: "N", help: "histograms of N functions (10); the table has all" },
    { name: "merge", help: "one histogram of all calls, whatever function" },
    { name: "microseconds", letter: "u", help: "buckets are powers of two of microseconds" },
    { name: "milliseconds", letter: "m", help: "buckets are powers of two of milliseconds" },
    ...intervalOptions,
    ...watchingOptions,
    regexpOption,
    {
      name: "level",
      letter: "l",
      value: "LEVEL",
      help: "accepted for BCC's sake: recursion is right at each depth that the kernel sees (64)",
    },
  ],
  examples: [
    ["uscope latency 'redis-server:*Command' -d 10", "how long each command of a running redis takes"],
    ["uscope latency -p 1234 -i 5 -T c:write", "write() of process 1234, every five seconds"],
    ["uscope latency --merge './app:handle_*' -- ./app", "all handlers together"],
    ["uscope latency u:postgres:query__start..query__done", "from one marker to another"],
    ["uscope latency -p 1234 'u:libruby:*'", "all pairs of markers that a library has by their names"],
    [
      "uscope latency --json './app:*' -- ./app | jq '[.function, .p99]'",
      "for other programs: one JSON object a function",
    ],
  ],
  notes: [
    "Calls that have not returned at the end, or never return (longjmp, exceptions), are not counted.",
    "Exit code: 0 when it ended as asked (Ctrl-C, -d, end of the process), 1 on an error, 2 on a wrong command line.",
  ].join("\n"),
  run,
};

const defaultTop = 10;

async function run(parsed: ParsedOptions): Promise<number> {
  refuseRegexp("latency", parsed);
  if (parsed.has("microseconds") && parsed.has("milliseconds"))
    throw usage(
      "latency",
      "-u and -m exclude each other",
      "leave both out: each value is shown in its best unit",
    );
  if (parsed.has("function") && (parsed.has("merge") || parsed.has("top")))
    throw usage(
      "latency",
      `-F and --${parsed.has("merge") ? "merge" : "top"} exclude each other`,
      "leave -F out",
    );
  const watched = readWatching("latency", parsed.arguments, parsed);
  return latency({
    ...watched,
    interval: readInterval("latency", parsed),
    timestamps: parsed.has("timestamp"),
    unit: parsed.has("microseconds") ? "us" : parsed.has("milliseconds") ? "ms" : "ns",
    detail: parsed.has("merge") ? "all" : parsed.has("function") ? "each" : "few",
    top: parsed.number("top", 1) ?? defaultTop,
  });
}
