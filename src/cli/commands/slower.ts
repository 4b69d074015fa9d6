/** Owns the command line of `uscope slower`. Does not own watching (tools/slower.ts). */
import { slower } from "../../tools/slower.js";
import type { Command } from "../command.js";
import type { ParsedOptions } from "../options.js";
import { readWatching, usage, watchingOptions } from "../watching.js";

export const command: Command = {
  name: "slower",
  usage: "[OPTIONS] PATTERN ... MS [-- COMMAND ARGS ...]",
  purpose: [
    "Prints a line for each call that took MS milliseconds or longer, when it returns, with the words that it was called with and what",
    "it returned. MS may be 0.5, 100us or 2s. PATTERN is FILE:FUNCTION, FUNCTION a name or a glob. Faster calls end in the kernel:",
    "they are timed, and never seen by uscope. Lines come in the order in which calls end. Two markers may stand for a function, as in",
    "uscope latency: u:FILE:BEGIN..END, or u:FILE:BEGIN.",
  ].join("\n"),
  options: [
    {
      name: "args",
      letter: "a",
      alias: "arguments",
      value: "N",
      help: "show the first N arguments, 0 to 6 (3; of markers 0)",
    },
    { name: "max", letter: "M", value: "N", help: "end after N shown calls" },
    ...watchingOptions,
  ],
  examples: [
    ["uscope slower redis-server:call 1", "commands of redis that take a millisecond or longer"],
    ["uscope slower -p 1234 -a 2 'c:f*sync' 100us", "what process 1234 waits for when it syncs files"],
    ["uscope slower u:postgres:query__start..query__done 100", "queries of a tenth of a second or longer"],
    ["uscope slower './app:*' 2s -- ./app", "every function of a command that took 2 seconds"],
  ],
  notes: [
    "Words are shown in decimal when they fit into 32 bits, else in hexadecimal. What a function without a result returns means nothing.",
    "Exit code: 0 when it ended as asked (Ctrl-C, -M, -d, end of the process), 1 on an error, 2 on a wrong command line.",
  ].join("\n"),
  run,
};

const mostWords = 6;

async function run(parsed: ParsedOptions): Promise<number> {
  const patterns = parsed.arguments.slice(0, -1);
  const last = parsed.arguments.at(-1);
  if (last !== undefined && patterns.length === 0) {
    const isTime = readTime(last) !== undefined;
    throw usage(
      "slower",
      isTime ? `which functions take ${last}?` : "how slow is slow?",
      isTime
        ? `uscope slower redis-server:call ${last}`
        : `give milliseconds behind it: uscope slower '${last}' 10`,
    );
  }
  const threshold = readTime(last ?? "0");
  if (threshold === undefined)
    throw usage("slower", `"${last}" is no time`, `give milliseconds, or a unit with it: 10, 0.5, 100us, 2s`);
  const words = parsed.number("args");
  if (words !== undefined && words > mostWords)
    throw usage(
      "slower",
      `--args ${words}: only the first ${mostWords} travel in registers`,
      `--args ${mostWords}; uscope trace reads more: arg7`,
    );
  return slower({
    ...readWatching("slower", patterns, parsed),
    threshold,
    words,
    most: parsed.number("max", 1),
  });
}

const nanosecondsOf: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, "": 1e6, s: 1e9 };

/** Parses milliseconds, or a number with its unit, to nanoseconds. */
function readTime(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?|\.\d+)(ns|us|ms|s|)$/.exec(text) ?? [];
  if (number === undefined || unit === undefined) return undefined;
  const nanoseconds = Math.round(Number(number) * nanosecondsOf[unit]!);
  return Number.isSafeInteger(nanoseconds) ? nanoseconds : undefined;
}
