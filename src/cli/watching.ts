/**
 * Owns the options that all commands which watch functions share: whom to watch, for how long, at what price.
 * Does not own what a tool does with it (tools/watching.ts).
 */
import { assert } from "../base/assert.js";
import { UsageError } from "../base/errors.js";
import type { WatchRequest } from "../tools/watching.js";
import type { OptionRow, ParsedOptions } from "./options.js";

/** Rows of every such tool's option table, behind its own. */
export const watchingOptions: readonly OptionRow[] = [
  {
    name: "pid",
    letter: "p",
    value: "PID",
    repeatable: true,
    help: "watch this process only; may be repeated",
  },
  { name: "tid", letter: "L", value: "TID", help: "watch this thread only" },
  { name: "children", help: "with -p or --: follow fork and exec too" },
  { name: "uid", value: "UID", help: "watch processes of this user only" },
  {
    name: "cgroup",
    letter: "c",
    alias: "cgroup-path",
    value: "PATH",
    help: "watch processes in this cgroup (v2) and below only",
  },
  { name: "duration", letter: "d", value: "SECONDS", help: "end after this time" },
  { name: "json", help: "print one JSON object a line" },
  { name: "budget", value: "PERCENT", help: "end when hits times their cost exceed this share of one core" },
  {
    name: "verbose",
    letter: "v",
    help: "print each probe's sites, tree, IR and bytecode, and the verifier's word",
  },
  {
    name: "force",
    value: "HAZARD",
    repeatable: true,
    help: "watch although the preflight names this hazard (uretprobe, nop5)",
  },
];

/** What may be insisted on. */
const hazards: readonly string[] = ["uretprobe", "nop5"];

/** A row of the table above, for commands that put it among their own. */
export function sharedOption(name: string): OptionRow {
  const row = watchingOptions.find((row) => row.name === name);
  assert(row, `no shared option ${name}`);
  return row;
}

/** Of tools whose result is a table. */
export const intervalOptions: readonly OptionRow[] = [
  {
    name: "interval",
    letter: "i",
    value: "SECONDS",
    help: "print what was added every so often, and all at the end",
  },
  { name: "timestamp", letter: "T", help: "print the time before each table" },
];

/** BCC's pattern switch, which is refused in a sentence. */
export const regexpOption: OptionRow = {
  name: "regexp",
  letter: "r",
  help: "refused: patterns are globs, as in a shell ('c:*alloc')",
};

/** What BCC's tools accept and these do not. */
export function refuseRegexp(command: string, parsed: ParsedOptions): void {
  if (!parsed.has("regexp")) return;
  const fix =
    "write * for any run, ? for one character, [a-z] for one of a class; several patterns may be given";
  throw usage(command, "-r: patterns are globs here, not regular expressions", fix);
}

/** Reads patterns and the shared options. What contradicts itself throws a UsageError. */
export function readWatching(
  command: string,
  patterns: readonly string[],
  parsed: ParsedOptions,
): WatchRequest {
  if (patterns.length === 0)
    throw usage(
      command,
      "nothing to watch",
      `name functions: uscope ${command} ${command === "slower" ? "redis-server:call 10" : "'redis-server:*Command'"}`,
    );
  for (const pattern of patterns) requirePattern(command, pattern);
  return { ...readWatched(command, parsed), patterns };
}

/** What a command is told to watch by, where that is no pattern. */
const whatIsGiven: Readonly<Record<string, string>> = { args: "SPEC", trace: "PROBE" };

/** Reads the shared options alone. What contradicts itself throws a UsageError. */
export function readWatched(command: string, parsed: ParsedOptions): Omit<WatchRequest, "patterns"> {
  const refuse = (what: string, fix: string): never => {
    throw usage(command, what, fix);
  };
  if (parsed.has("tid") && parsed.has("pid"))
    refuse("-L and -p exclude each other", "a thread names its process: leave -p out");
  if (parsed.command?.length === 0)
    refuse("no command behind --", `uscope ${command} ${whatIsGiven[command] ?? "PATTERN"} -- COMMAND ARGS`);
  if (parsed.command !== undefined && (parsed.has("pid") || parsed.has("tid")))
    refuse("-- COMMAND and -p or -L exclude each other", "leave -p out");
  if (parsed.has("children") && parsed.command === undefined && !parsed.has("pid"))
    refuse("--children needs -p or -- COMMAND", "name whose children");
  for (const hazard of parsed.texts("force")) {
    if (!hazards.includes(hazard))
      refuse(`--force ${hazard} is unknown`, `--force ${hazards.join(" or --force ")}`);
  }
  const seconds = parsed.number("duration", 0, "any");
  if (seconds === 0) refuse("-d 0 leaves no time to watch", `uscope ${command} -d 10 ...`);
  const cgroup = parsed.text("cgroup");
  if (cgroup !== undefined && /^\d+$/.test(cgroup))
    refuse(
      `-c ${cgroup} is no cgroup: -c takes the path of one`,
      command === "count" || command === "stacks"
        ? `for a processor: --cpu ${cgroup}`
        : "-c /sys/fs/cgroup/system.slice",
    );
  // Why a set: a process that is named twice would be armed twice, and each of its calls shown twice.
  const pids = [...new Set(parsed.texts("pid").map((text) => readPid(command, text)))];
  return {
    json: parsed.has("json"),
    seconds,
    options: {
      ...(pids.length === 0 ? {} : { pids }),
      tid: parsed.number("tid", 1),
      uid: parsed.number("uid"),
      cgroup,
      children: parsed.has("children"),
      command: parsed.command,
      budgetPercent: parsed.number("budget", 0, "any"),
      force: parsed.texts("force"),
      verbose: parsed.has("verbose") || parsed.has("debug"),
    },
  };
}

/** Reads -i: undefined without it. */
export function readInterval(command: string, parsed: ParsedOptions): number | undefined {
  const interval = parsed.number("interval", 0, "any");
  if (interval === undefined || (interval >= 0.01 && interval <= 86_400)) return interval;
  throw usage(command, `-i ${interval} is no interval`, "give seconds from 0.01 to 86400, as in -i 1");
}

/** Why here: what stands behind the name in a one-liner would be left out without a word. */
function requirePattern(command: string, pattern: string): void {
  const bare = pattern.replaceAll(/"(?:[^"\\]|\\.)*"/g, "");
  if (bare.startsWith("r:"))
    throw usage(
      command,
      `"${pattern}": only uscope trace and scripts watch returns alone`,
      command === "count"
        ? `count the calls: ${pattern.slice(2)}`
        : `leave r: out, both ends are watched: ${pattern.slice(2)}`,
    );
  if (!/[\s(]/.test(bare)) return;
  const isName = /::|\(.*\)$/.test(bare) && !/[\s(][="%]|\barg\d|\bretval\b/.test(pattern);
  const name = /(?<!:):(?!:)([^]*)$/.exec(pattern)?.[1] ?? pattern;
  throw usage(
    command,
    `"${pattern}" is more than FILE:FUNCTION`,
    isName
      ? `put a name with blanks or parentheses in double quotes within: 'FILE:"${name}"'`
      : `predicates and formats are uscope trace's; here write FILE:FUNCTION, as in 'c:*alloc'`,
  );
}

function readPid(command: string, text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  const name = /^[a-z_][\w.-]*$/i.test(text) ? text : "NAME";
  throw usage(
    command,
    `"${text}" is no process id`,
    `uscope ${command} -p 1234 ...; for a name: -p "$(pgrep -n ${name})"`,
  );
}

/** A mistake on the command line of a tool. */
export function usage(command: string, what: string, fix: string): UsageError {
  return new UsageError({ what, at: `uscope ${command}`, fix });
}
