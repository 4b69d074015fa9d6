/**
 * Owns running the samples of a page of docs/ as they stand there: files are written, commands run, and what they print compared.
 * Does not own the pages. In a block that is indented by four spaces, a first line that is the comment NAME (`// work.c`) makes it that file, and
 * `$ COMMAND` makes what follows the output of COMMAND; a line `...` stands for any lines.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Sample {
  readonly command: string;
  /** As the page has it. */
  readonly output: string;
}

export interface SampleFolder extends Disposable {
  readonly samples: readonly Sample[];
  /** Runs a sample in the folder where the page's files are; returns both streams as a terminal shows them. */
  run(sample: Sample): string;
}

const checkout = fileURLToPath(new URL("../..", import.meta.url));

const fileComment = String.raw`(?:\/\/|#|<\?php \/\/) ([\w-]+\.(?:m?[tj]s|c|java|py|rb|php))\n`;
const fileName = new RegExp(`^${fileComment}`);
const blockBegin = new RegExp(String.raw`\n\n(?=${fileComment.replace("([", "(?:[")}|\$ )`);

/** Makes a folder with the files of docs/PAGE. */
export function openSamples(page: string): SampleFolder {
  const folder = mkdtempSync(join(tmpdir(), "uscope-samples-"));
  const programs = join(folder, ".programs");
  mkdirSync(programs);
  const uscope = join(programs, "uscope");
  writeFileSync(uscope, `#!/bin/sh\nexec '${process.execPath}' '${join(checkout, "bin/uscope")}' "$@"\n`);
  chmodSync(uscope, 0o755);
  const blocks = readBlocks(readFileSync(join(checkout, "docs", page), "utf8"));
  for (const block of blocks) {
    const name = fileName.exec(block)?.[1];
    if (name !== undefined) writeFileSync(join(folder, name), block);
  }
  return {
    samples: blocks.flatMap((block) => parseSamples(block)),
    run: ({ command }) =>
      spawnSync("/bin/sh", ["-c", `{ ${command}\n} 2>&1`], {
        cwd: folder,
        encoding: "utf8",
        env: { ...process.env, PATH: `${programs}:${process.env["PATH"]}` },
      }).stdout,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** What is printed, with the lines that the sample leaves out left out. */
export function asShown(printed: string, { output }: Sample): string {
  const pattern = output
    .split("\n")
    .map((line) => (line === "..." ? "\u0000" : escapePattern(line)))
    .join("\n")
    .replaceAll("\u0000\n", "(?:.*\n)*?");
  return new RegExp(`^${pattern}$`).test(printed) ? output : printed;
}

/**
 * What is printed, where it is like the sample: numbers, times and bars may be others, columns wider or narrower, and `...` stands
 * for any lines. For samples of programs that never do the same twice.
 */
export function asLike(printed: string, { output }: Sample): string {
  return asShown(generalize(printed), { command: "", output: generalize(output) }) === generalize(output)
    ? output
    : printed;
}

/** Why signs for each: a number that becomes a text, or a column that is missing, is still seen. */
function generalize(text: string): string {
  return text
    .replaceAll(/\b0x[0-9a-f]+\b/g, "0xN")
    .replaceAll(/\d+(?:[.:]\d+)*(?:[KMGT]|(?=[nmu]?s\b))?/g, "N")
    .replaceAll(/\|@*[ @]*\|/g, "|BAR|")
    .replaceAll(/ {2,}/g, " ")
    .replaceAll(/^ +/gm, "");
}

/** The same for output with times, process ids and addresses of one run: what varies is compared by its shape. */
export function asShapeShown(printed: string, { command, output }: Sample): string {
  const shown = shapeOf(output);
  return asShown(shapeOf(printed), { command, output: shown }) === shown ? output : printed;
}

/** Clock times, durations, addresses, process ids (of at least three digits) and bars, with the blanks around them. */
function shapeOf(text: string): string {
  return text
    .replaceAll(/\b\d\d:\d\d:\d\d\b/g, "TIME")
    .replaceAll(/\b0x[\da-f]+\b/g, "ADDRESS")
    .replaceAll(/\b\d+(?:\.\d+)?(?:ns|us|ms|s)\b/g, "DURATION")
    .replaceAll(/\b(process )\d+\b/g, "$1PID")
    .replaceAll(/^(TIME )\d+ +\d+ /gm, "$1PID TID ")
    .replaceAll(/("(?:pid|tid|\w*_ns|\w*time|p\d\d)":)"?[\d.]+"?/g, "$1N")
    .replaceAll(/ +/g, " ");
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function readBlocks(text: string): readonly string[] {
  const blocks: string[] = [];
  let block: string[] = [];
  for (const line of [...text.split("\n"), "end"]) {
    if (line.startsWith("    ") || (line === "" && block.length > 0)) block.push(line.slice(4));
    else if (block.length > 0) {
      blocks.push(`${block.join("\n").trimEnd()}\n`);
      block = [];
    }
  }
  // A file or a command begins a block of its own also where only a blank line is before it.
  return blocks.flatMap((text) => text.split(blockBegin).map((part) => `${part.trimEnd()}\n`));
}

function parseSamples(block: string): readonly Sample[] {
  if (!block.startsWith("$ ")) return [];
  return block
    .slice(2)
    .split(/^\$ /m)
    .map((text) => {
      const end = text.indexOf("\n");
      return { command: text.slice(0, end), output: text.slice(end + 1) };
    });
}
