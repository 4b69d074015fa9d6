/**
 * Owns the command line of `uscope doctor`: options and help.
 * Does not own what is found out or said (tools/doctor.ts).
 */
import { UsageError } from "../../base/errors.js";
import { doctor } from "../../tools/doctor.js";
import type { Command } from "../command.js";
import type { ParsedOptions } from "../options.js";

export const command: Command = {
  name: "doctor",
  usage: "[--json]",
  purpose: [
    "Says what this kernel has and what this process may do, by trying: each eBPF feature, each step of a trace, the privileges,",
    "and in the end what would work, what would not, and how to get it. Nothing that runs is touched; nothing is left behind.",
    "Run it as the user, in the container and from the service that is to trace: the answer is theirs.",
  ].join("\n"),
  options: [{ name: "json", help: "print one JSON object instead (docs/doctor.md)" }],
  examples: [
    ["uscope doctor", "what works for this user, here"],
    ["sudo uscope doctor", "what would work as root"],
    ["uscope doctor > /dev/null && uscope trace ...", "in a script: trace only where it is possible"],
    ["uscope doctor --json | jq -r '.causes[].what'", "what stands in the way, a line each"],
  ],
  notes: [
    "Exit code: 0 when all works that `uscope trace` cannot do without (single options may still be missing: see the verdict),",
    "1 when tracing is not possible, 2 on a wrong command line.",
  ].join("\n"),
  run,
};

async function run(parsed: ParsedOptions): Promise<number> {
  if (parsed.arguments.length > 0 || parsed.command !== undefined) {
    const word = parsed.arguments[0] ?? "-- COMMAND";
    throw new UsageError({
      what: `uscope doctor takes no ${parsed.arguments.length > 0 ? `argument "${word}"` : word}`,
      at: "uscope doctor",
      fix: "uscope doctor, or uscope doctor --json; for a process: uscope trace -p PID",
    });
  }
  return doctor({ json: parsed.has("json") });
}
