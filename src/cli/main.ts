/**
 * Owns the way from a command line to an exit code: the command table, help, and how errors are shown.
 * Does not own what commands do; each is loaded only when it is run.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError, isUscopeError } from "../base/errors.js";
import { escapeLines, nearestNames } from "../base/text.js";
import { Output } from "../tools/output.js";
import type { Command } from "./command.js";
import { endAtArgument, parseOptions, printOptions } from "./options.js";

interface CommandRow {
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

const commands: Readonly<Record<string, CommandRow>> = {
  trace: {
    summary: "print a line for each call of a function, with its arguments",
    load: () => import("./commands/trace.js"),
  },
  count: {
    summary: "count the calls of functions, tens of thousands at once",
    load: () => import("./commands/count.js"),
  },
  latency: {
    summary: "show how long functions take: histograms and percentiles",
    load: () => import("./commands/latency.js"),
  },
  args: {
    summary: "count values of arguments and returns, or draw their histogram",
    load: () => import("./commands/args.js"),
  },
  slower: {
    summary: "print the calls that take longer than a threshold, with their arguments",
    load: () => import("./commands/slower.js"),
  },
  stacks: {
    summary: "count the stacks that lead to functions, for flame graphs too",
    load: () => import("./commands/stacks.js"),
  },
  run: {
    summary: "run a script of your own: probes written in TypeScript",
    load: () => import("./commands/run.js"),
  },
  list: {
    summary: "list the functions and markers of a binary, a library or a process",
    load: () => import("./commands/list.js"),
  },
  doctor: {
    summary: "say what this kernel and these privileges allow",
    load: () => import("./commands/doctor.js"),
  },
};

// Why: Node would open its debugger on a port then, and whoever reaches it runs code with the privileges of a tracer.
process.on("SIGUSR1", () => {});
void main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<void> {
  try {
    process.exitCode = await runCommand(words);
  } catch (error) {
    say(`${escapeLines(printError(error))}\n`, 2);
    process.exitCode = isUscopeError(error) && error.kind === "UsageError" ? 2 : 1;
  }
}

async function runCommand([name, ...words]: readonly string[]): Promise<number> {
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    const asked = name !== undefined;
    const wanted = name === "help" ? words[0] : undefined;
    if (wanted !== undefined && commands[wanted] !== undefined) return runCommand([wanted, "--help"]);
    say(overview(), asked ? 1 : 2);
    return asked ? 0 : 2;
  }
  if (name === "--version" || name === "-V") {
    say(`uscope ${readVersion()}\n`);
    return 0;
  }
  const row = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (row === undefined) {
    const near = nearestNames(name, Object.keys(commands), 1)[0];
    throw new UsageError({
      what: `unknown command "${name}"`,
      at: "uscope",
      fix:
        near === undefined
          ? "uscope --help lists the commands"
          : `did you mean "uscope ${near}"? uscope --help lists the commands`,
    });
  }
  const { command } = await row.load();
  const all = command.endsAtArgument === true ? endAtArgument(command.options, words) : words;
  const own = all.includes("--") ? all.slice(0, all.indexOf("--")) : all;
  if (own.includes("--help") || own.includes("-h")) {
    say(helpOf(command, row.summary));
    return 0;
  }
  return command.run(parseOptions(name, command.options, all));
}

function say(text: string, descriptor = 1): void {
  const output = new Output(descriptor);
  output.write(text);
  output.flush();
}

function overview(): string {
  const names = Object.keys(commands);
  const width = Math.max(...names.map((name) => name.length));
  return [
    "uscope watches running programs: functions, arguments, returns; nothing is restarted, changed or recompiled.",
    "",
    "usage: uscope COMMAND [OPTIONS] ...",
    "",
    ...names.map((name) => `  ${name.padEnd(width)}  ${commands[name]!.summary}`),
    "",
    "uscope COMMAND --help says more, with examples; uscope --version",
    "",
  ].join("\n");
}

function helpOf(command: Command, summary: string): string {
  return [
    `uscope ${command.name}: ${summary}`,
    "",
    `usage: uscope ${command.name} ${command.usage}`,
    "",
    command.purpose,
    "",
    "options:",
    printOptions([...command.options, { name: "help", letter: "h", help: "show this text" }]),
    "",
    "examples:",
    ...command.examples.flatMap(([line, explanation]) => [`  ${line}`, `      ${explanation}`]),
    ...(command.notes === undefined ? [] : ["", command.notes]),
    "",
  ].join("\n");
}

/** Three lines for every error; what is no UscopeError is a fault of uscope. */
function printError(error: unknown): string {
  if (isUscopeError(error)) return `uscope: ${error.message}`;
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const trace = process.env["USCOPE_DEBUG"] !== undefined && error instanceof Error ? `\n${error.stack}` : "";
  return `uscope: ${what}\n  at: uscope itself\n  fix: report this with the command that you ran; USCOPE_DEBUG=1 shows where it happened${trace}`;
}

function readVersion(): string {
  const file = join(import.meta.dirname, "../../package.json");
  return String((JSON.parse(readFileSync(file, "utf8")) as { version: unknown }).version);
}
