/** What an editor shows on hovering: every member of what authors are offered has a sentence. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const files = [
  "lang/script/parameter.ts",
  "trace/script/aggregate.ts",
  "trace/script/observe.ts",
  "trace/script/probe.ts",
  "trace/script/reader.ts",
  "trace/script/shapes.ts",
  "trace/script/snapshot.ts",
  "trace/script/tunable.ts",
];

it.each(files)("%s: everything exported, and every public member of it, has a docstring", (file) => {
  const lines = readFileSync(join(import.meta.dirname, "../../../src", file), "utf8").split("\n");
  const isDocumented = (index: number): boolean => lines[index - 1]?.trimEnd().endsWith("*/") === true;
  const bare: string[] = [];
  let exported: "interface" | "class" | undefined;
  lines.forEach((line, index) => {
    const [, kind, name = ""] =
      /^export (?:declare )?(?:abstract )?(interface|class|type|function|const) (\w+)/.exec(line) ?? [];
    // Overloads and their implementation share the comment of the first.
    const isLater =
      kind === "function" &&
      lines
        .slice(0, index)
        .some(
          (one) => one.startsWith(`export function ${name}(`) || one.startsWith(`export function ${name}<`),
        );
    if (kind !== undefined && !isLater && !isDocumented(index)) bare.push(line);
    if (kind === "interface" || kind === "class") exported = kind;
    if (line === "}") exported = undefined;
    const isMember =
      exported === "interface"
        ? /^ {2}(?:readonly )?[\w[]+.*;$/.test(line)
        : exported === "class" &&
          /^ {2}(?:get |async )?[a-z]\w*(?:<.*>)?\(/.test(line) &&
          !/^ {2}constructor/.test(line);
    if (isMember && !isDocumented(index)) bare.push(`${file}: ${line.trim()}`);
  });
  expect(bare).toEqual([]);
});
