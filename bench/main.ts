/** Owns a run of the benchmark: which questions are asked, the table on the terminal, and docs/benchmarks.md on demand. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { measureCost } from "./cost.js";
import { measureFunctions } from "./functions.js";
import { measureGathered } from "./gathered.js";
import { measureList } from "./list.js";
import { measureLines } from "./lines.js";
import { describeMachine } from "./machine.js";
import { measureManyPlaces } from "./many-places.js";
import { measureMarkers } from "./markers.js";
import { measureMemory } from "./memory.js";
import { measureStartUp } from "./start-up.js";
import { printMarkdown, printSection } from "./table.js";
import type { Section } from "./table.js";
import { Workplace } from "./workplace.js";

const questions: Readonly<Record<string, (workplace: Workplace) => Promise<Section>>> = {
  cost: measureCost,
  gathered: measureGathered,
  markers: measureMarkers,
  lines: measureLines,
  functions: measureFunctions,
  "start-up": measureStartUp,
  memory: measureMemory,
  "many-places": measureManyPlaces,
  list: measureList,
};

const words = process.argv.slice(2);
const isWritten = words.includes("--write");
const wanted = words.filter((word) => word !== "--write");
const unknown = wanted.filter((word) => !Object.hasOwn(questions, word));
if (unknown.length > 0 || (isWritten && wanted.length > 0)) {
  console.error(`usage: npm run bench -- [${Object.keys(questions).join("] [")}] | --write`);
  process.exit(2);
}

const machine = describeMachine();
console.log(`${machine.join("\n")}\n`);
const workplace = new Workplace();
const sections: Section[] = [];
for (const [name, measure] of Object.entries(questions)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const section = await measure(workplace);
  console.log(printSection(section));
  sections.push(section);
}
if (isWritten) {
  const preface = [
    "# Benchmarks",
    "",
    "Written by `npm run bench -- --write`; not edited by hand. Times drift from run to run and from machine to machine: the ratios",
    "compare what was measured side by side in this run. All programs ran with real-time priority (chrt --rr 1) where that is",
    "allowed, so that what else the machine does counts little.",
    "",
    ...machine.map((fact) => `- ${fact}`),
    "",
    "",
  ];
  writeFileSync(
    fileURLToPath(new URL("../docs/benchmarks.md", import.meta.url)),
    `${preface.join("\n")}${printMarkdown(sections)}`,
  );
}
process.exitCode = sections.some(({ rows }) => rows.some(({ bar }) => bar?.held === false)) ? 1 : 0;
