/**
 * Owns comparing text with files under test/golden, which change only when UPDATE_GOLDEN=1 is set.
 * Does not own what is in them: each test chooses a text that shows input and output together.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

const folder = fileURLToPath(new URL("../golden/", import.meta.url));

/** Compares a text with test/golden/FILE. */
export function golden(file: string, actual: string): void {
  const path = join(folder, file);
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(path) || readFileSync(path, "utf8") !== actual) writeFileSync(path, actual);
    return;
  }
  expect(existsSync(path), `test/golden/${file} is missing: make it with UPDATE_GOLDEN=1 and read it`).toBe(
    true,
  );
  expect(actual, `differs from test/golden/${file}: if it should, set UPDATE_GOLDEN=1`).toBe(
    readFileSync(path, "utf8"),
  );
}

/**
 * Runs every case of test/golden/FILE, a text that people edit, and compares what comes out:
 *
 *     === the name of a case
 *     its input, any number of lines
 *     ---
 *     its output
 *
 * Inputs are taken from the file as they stand; with UPDATE_GOLDEN=1 only the outputs are written anew.
 */
export function goldenCases(file: string, produce: (input: string, name: string) => string): void {
  const cases = readFileSync(join(folder, file), "utf8").split(/^=== /m);
  const [preface = "", ...rest] = cases;
  expect(rest.length, `no case in test/golden/${file}`).toBeGreaterThan(0);
  const renewed = rest.map((text) => {
    const nameEnd = text.indexOf("\n");
    const name = text.slice(0, nameEnd);
    const [input = ""] = text.slice(nameEnd + 1).split(/^---$/m);
    const output = produce(input.replace(/\n$/, ""), name).replace(/\n*$/, "\n");
    return `=== ${name}\n${input}---\n${output}\n`;
  });
  golden(file, `${preface}${renewed.join("")}`.replace(/\n*$/, "\n"));
}
