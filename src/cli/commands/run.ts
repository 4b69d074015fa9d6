/** Owns the command line of `uscope run`. Does not own running (tools/run.ts). */
import { UsageError } from "../../base/errors.js";
import { runScript } from "../../tools/run.js";
import type { Command } from "../command.js";

export const command: Command = {
  name: "run",
  usage: "[OPTIONS] FILE [ARGS ...]",
  purpose: [
    "Runs a TypeScript or JavaScript module and prints what its default export gives: what observe(...) returns, a list of rows,",
    "or a function of ARGS that returns one of these or is an async generator. Objects become columns, lists of objects tables,",
    "text stays as it is. Everything behind FILE is the script's own. Types are taken away, not checked; no tsconfig is read.",
  ].join("\n"),
  options: [
    { name: "json", help: "print one JSON value a line" },
    { name: "max", letter: "M", value: "N", help: "end after N printed values" },
    { name: "duration", letter: "d", value: "SECONDS", help: "end after this time" },
  ],
  endsAtArgument: true,
  examples: [
    ["uscope run probe.ts", "run a script until it ends, or until Ctrl-C"],
    ["uscope run -d 10 probe.ts --pid 1234", "end after ten seconds; --pid 1234 is the script's"],
    ["uscope run --json probe.ts | jq .pid", "for other programs: one JSON value a line"],
  ],
  notes: [
    'In the script, import from "uscope" is this very uscope, wherever the script lies. process.argv holds ARGS from index 2 on.',
    "Exit code: 0 when the script ended or was stopped, 1 when it is wrong or threw, 2 on a wrong command line.",
  ].join("\n"),
  async run(parsed) {
    const [file] = parsed.arguments;
    if (file === undefined) {
      throw new UsageError({ what: "no script given", at: "uscope run", fix: "uscope run probe.ts" });
    }
    return runScript({
      file,
      words: parsed.command ?? [],
      json: parsed.has("json"),
      most: parsed.number("max", 1),
      seconds: parsed.number("duration", 0, "any"),
    });
  },
};
