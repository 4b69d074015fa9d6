/**
 * Owns the command line of `uscope trace`: options, help, and what of BCC's trace has no meaning here.
 * Does not own tracing (tools/trace.ts).
 */
import type { UsageError } from "../../base/errors.js";
import { trace } from "../../tools/trace.js";
import type { Command } from "../command.js";
import type { OptionRow, ParsedOptions } from "../options.js";
import { readWatched, sharedOption, usage as usageOf } from "../watching.js";

const options: readonly OptionRow[] = [
  sharedOption("pid"),
  sharedOption("tid"),
  sharedOption("children"),
  sharedOption("uid"),
  {
    name: "comm",
    letter: "n",
    alias: "name",
    value: "NAME",
    help: "show only threads whose name contains NAME",
  },
  sharedOption("cgroup"),
  { name: "msg-filter", letter: "f", value: "TEXT", help: "show only events whose message contains TEXT" },
  { name: "max-events", letter: "M", value: "N", help: "end after N shown events" },
  sharedOption("duration"),
  { name: "timestamp", letter: "t", help: "show a TIME column: seconds since the start" },
  { name: "unix-timestamp", letter: "u", help: "with -t: seconds since 1970 instead" },
  { name: "time", letter: "T", help: "show a TIME column: local time of the event" },
  { name: "print-cpu", letter: "C", alias: "print_cpu", help: "show a CPU column" },
  {
    name: "string-size",
    letter: "Z",
    value: "BYTES",
    help: "read at most this much of each text (80); cut text ends in ...",
  },
  { name: "raw", help: "show text byte for byte, control bytes too" },
  { name: "user-stack", letter: "U", help: "show the user stack (programs with frame pointers)" },
  {
    name: "kernel-stack",
    letter: "K",
    help: "accepted for BCC's sake: at a place in user space the kernel has no stack of its own",
  },
  { name: "address", letter: "a", help: "show addresses in stacks" },
  {
    name: "aggregate",
    letter: "A",
    help: "with -M: show equal events once, with their count and without their times",
  },
  { name: "include-self", letter: "S", help: "trace uscope itself too" },
  {
    name: "pid-namespace",
    help: "show PID and TID as processes in containers see themselves; JSON shows them beside the host's",
  },
  { ...sharedOption("json"), help: "print one JSON object a line (docs/json.md)" },
  sharedOption("force"),
  sharedOption("budget"),
  { name: "attach", value: "WAY", help: "uprobe_multi or pmu instead of the best that this kernel has" },
  {
    name: "buffer-pages",
    letter: "b",
    value: "PAGES",
    help: "size of the ring buffer in pages of 4096 bytes (1024)",
  },
  sharedOption("verbose"),
  {
    name: "bin-cmp",
    letter: "B",
    alias: "bin_cmp",
    help: 'STRCMP("{0x6c, 0x00}", arg1) compares these bytes instead of that text',
  },
  {
    name: "include",
    letter: "I",
    value: "HEADER",
    repeatable: true,
    help: "refused: no headers are read; write casts instead",
  },
  {
    name: "sym-file-list",
    letter: "s",
    alias: "sym_file_list",
    value: "FILES",
    help: "accepted for BCC's sake: symbols are found by mapping and build-id",
  },
];

export const command: Command = {
  name: "trace",
  usage: "[OPTIONS] PROBE ... [-- COMMAND ARGS ...]",
  purpose: [
    'Prints a line for each hit of a probe. A PROBE is [p:|r:]LIB:FUNCTION[+OFFSET] [(SIGNATURE)] [(PREDICATE)] ["FORMAT"[,] ARGS], or u:[LIB]:[PROVIDER:]MARKER ...:',
    "p: (or nothing) at the function's entry, r: at its return, u: at a marker (USDT; uscope list -u LIB). LIB is a path, a command on PATH, or a library (c, libssl.so.3).",
    "FUNCTION may be a pattern (ssl_*) or a quoted C++ or Rust name. Values are arg1, arg2 ... retval, pid tid uid gid cpu comm nsecs,",
    'casts, pointer reads, C\'s operators and STRCMP("text", arg1). With -- COMMAND, the command starts when the probes are armed.',
  ].join("\n"),
  options,
  examples: [
    [
      `uscope trace 'redis-server:createStringObject "%.*s", arg2, arg1'`,
      "each string that redis makes, with its exact length",
    ],
    [`uscope trace -p 1234 'c:open "%s %x", arg1, arg2'`, "each open() of process 1234"],
    [`uscope trace 'r:c:malloc (retval == 0) "out of memory"'`, "failed allocations, host-wide"],
    [
      `uscope trace 'c:write(int fd, void *buf, size_t n) (fd == 2) "%zu bytes", n'`,
      "named, typed arguments and a predicate",
    ],
    [`uscope trace -U 'c:abort' -p 1234`, "who calls abort, with the user stack"],
    [`uscope trace 'u:libstdc++.so.6:throw'`, "each C++ exception, with the marker's arguments by name"],
    [`uscope trace './app:handle_*' -- ./app --once`, "every function of a name, from the first call on"],
  ],
  notes: [
    "Text that cannot be read shows as <fault>, NULL as (null). Lost events, faulted reads and skipped places are counted and shown at the end.",
    "Exit code: 0 when tracing ended as asked (Ctrl-C, -M, -d, end of the process), 1 on an error, 2 on a wrong command line.",
  ].join("\n"),
  run,
};

async function run(parsed: ParsedOptions): Promise<number> {
  if (parsed.arguments.length === 0)
    throw usage("no probe given", `uscope trace 'redis-server:createStringObject "%s", arg1'`);
  if (parsed.has("include"))
    throw usage("-I: uscope reads no C headers", "write the types as casts: *(int *)(arg1 + 8)");
  if (parsed.has("aggregate") && !parsed.has("max-events"))
    throw usage("-A needs -M: counts are shown at the end", "add -M N");
  if (parsed.has("aggregate") && parsed.has("json"))
    throw usage(
      "-A and --json exclude each other",
      "count the objects: uscope trace --json ... | jq -r .message | sort | uniq -c",
    );
  if (parsed.has("unix-timestamp") && !parsed.has("timestamp"))
    throw usage("-u needs -t", "uscope trace -t -u ...");
  const attach = parsed.text("attach");
  if (attach !== undefined && attach !== "uprobe_multi" && attach !== "pmu")
    throw usage(`--attach ${attach} is unknown`, "--attach uprobe_multi, or --attach pmu");
  const { json, seconds, options: whom } = readWatched("trace", parsed);
  return trace({
    ...whom,
    probes: parsed.arguments,
    comm: parsed.text("comm"),
    includeSelf: parsed.has("include-self"),
    namespaceIds: parsed.has("pid-namespace"),
    textLimit: parsed.number("string-size", 1) ?? 80,
    stacks: { user: parsed.has("user-stack"), kernel: parsed.has("kernel-stack") },
    attach,
    byteLists: parsed.has("bin-cmp"),
    bufferPages: parsed.number("buffer-pages", 1),
    maxEvents: parsed.number("max-events", 1),
    seconds,
    messageFilter: parsed.text("msg-filter"),
    aggregate: parsed.has("aggregate"),
    cpuColumn: parsed.has("print-cpu"),
    columns: { time: timeColumn(parsed), cpu: parsed.has("print-cpu"), addresses: parsed.has("address") },
    json,
    raw: parsed.has("raw"),
  });
}

function timeColumn(parsed: ParsedOptions): "none" | "start" | "unix" | "local" {
  // Why: equal events have different times; BCC counts each of them once then.
  if (parsed.has("aggregate")) return "none";
  if (parsed.has("time")) return "local";
  if (parsed.has("timestamp")) return parsed.has("unix-timestamp") ? "unix" : "start";
  return "none";
}

function usage(what: string, fix: string): UsageError {
  return usageOf("trace", what, fix);
}
