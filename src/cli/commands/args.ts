/** Owns the command line of `uscope args`. Does not own running (tools/args.ts). */
import { args } from "../../tools/args.js";
import type { Command } from "../command.js";
import type { OptionRow, ParsedOptions } from "../options.js";
import { readInterval, readWatched, usage, watchingOptions } from "../watching.js";

const options: readonly OptionRow[] = [
  {
    name: "count",
    letter: "C",
    value: "SPEC",
    repeatable: true,
    help: "count how often each tuple of values occurs; a SPEC alone means this",
  },
  {
    name: "histogram",
    letter: "H",
    value: "SPEC",
    repeatable: true,
    help: "sort one value into a histogram with buckets that double",
  },
  { name: "interval", letter: "i", value: "SECONDS", help: "print this often (1)" },
  { name: "number", letter: "n", value: "N", help: "end after N intervals" },
  { name: "cumulative", letter: "c", help: "print all since the start, not what the interval added" },
  { name: "top", letter: "T", value: "N", help: "print only the N largest counts" },
  {
    name: "string-size",
    letter: "z",
    value: "BYTES",
    help: "read at most this much of each text (80); cut text ends in ...",
  },
  // Why: BCC's argdist has -t for a thread and -c for another thing.
  ...watchingOptions.map((row): OptionRow => {
    if (row.name === "tid") return { ...row, alias: "t", help: `${row.help}; -t as well` };
    if (row.name !== "cgroup") return row;
    const { letter: _letter, ...others } = row;
    return others;
  }),
  {
    name: "include",
    letter: "I",
    value: "HEADER",
    repeatable: true,
    help: "refused: no headers are needed, types are C's own",
  },
];

export const command: Command = {
  name: "args",
  usage: "[OPTIONS] [-C|-H] SPEC ... [-- COMMAND ARGS ...]",
  purpose: [
    "Counts how often arguments, return values and durations occur, or draws a histogram of them, as BCC's argdist does. A SPEC is",
    "{p|r}:LIB:FUNCTION(SIGNATURE)[:TYPE[,TYPE...]:EXPR[,EXPR...][:FILTER]][#LABEL]: p: at the function's entry, r: at its return;",
    "u:LIB:[PROVIDER:]MARKER()[:TYPE...:EXPR...] at a marker (USDT), whose arguments are arg1, arg2 ... or have their provider's names.",
    "The SIGNATURE names the parameters, as in the C header; each EXPR has its C TYPE, char * is text. At a return there are $retval,",
    '$latency (nanoseconds) and $entry(x), what x was at the entry; everywhere $PID, $COMM, STRCMP("text", x) and C\'s operators.',
  ].join("\n"),
  options,
  examples: [
    [
      "uscope args -C 'p:c:write(int fd):int:fd' -p 1234 -T 5",
      "the five busiest file descriptors of process 1234",
    ],
    ["uscope args -H 'r:c:read()' -p 1234", "sizes that read() returned"],
    [
      "uscope args -H 'r:c:read(int fd):u64:$latency:$entry(fd) == 5#reads of 5'",
      "how long reads of one descriptor take",
    ],
    [
      "uscope args 'p:c:open(char *path, int flags):char*,int:path,flags' -d 10 -i 10 -- ./app",
      "which files a command opens, and how",
    ],
    [
      "uscope args 'u:libjvm.so:class__loaded():char*:name' -p 1234 -T 20",
      "classes that a JVM loads, by the names of its marker's arguments",
    ],
  ],
  notes: [
    "Calls that recurse each have their own $entry and $latency, 64 deep as the kernel sees returns. A key that finds no room among 65536 others is counted as missing.",
    "Exit code: 0 when it ended as asked (Ctrl-C, -n, -d, end of the process), 1 on an error, 2 on a wrong command line.",
  ].join("\n"),
  run,
};

async function run(parsed: ParsedOptions): Promise<number> {
  if (parsed.has("include"))
    throw usage(
      "args",
      "-I: no headers are read, and none are needed",
      "types are C's own, as in (size_t n, char *path); read a struct's field by its offset: *(int *)((char *)p + 16)",
    );
  const counts = [...parsed.arguments, ...parsed.texts("count")];
  const specs = [
    ...counts.map((text) => ({ text, gathering: "count" as const })),
    ...parsed.texts("histogram").map((text) => ({ text, gathering: "histogram" as const })),
  ];
  if (specs.length === 0)
    throw usage("args", "nothing to gather", "uscope args -C 'p:c:write(int fd):int:fd'");
  const textLimit = parsed.number("string-size", 1) ?? 80;
  if (textLimit > mostText)
    throw usage("args", `-z ${textLimit} is more than a key can hold`, `give at most ${mostText}`);
  return args({
    ...readWatched("args", parsed),
    specs,
    textLimit,
    interval: readInterval("args", parsed) ?? 1,
    times: parsed.number("number", 1),
    isCumulative: parsed.has("cumulative"),
    top: parsed.number("top", 1),
    verbose: parsed.has("verbose"),
  });
}

/** A key is put together on the program's stack, with the text's length in front. */
const mostText = 250;
