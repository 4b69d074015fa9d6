/**
 * Owns refusing what JavaScript lets through and TypeScript does not: misspelt options, functions that are none, lists of nobody.
 * Does not own what the options mean (observe.ts, probe.ts). Why so strict: an option that is not heard widens what is traced.
 */
import { unreachable } from "../../base/assert.js";
import { UsageError } from "../../base/errors.js";
import { nearestNames } from "../../base/text.js";

/** What an option's value has to be. */
type Kind = "number" | "boolean" | "texts" | "numbers" | "text" | "signal" | "object";

/** The options of a call by name. */
type OptionTable = Readonly<Record<string, Kind>>;

export const observeOptions: OptionTable = {
  pids: "numbers",
  tid: "number",
  uid: "number",
  cgroup: "text",
  children: "boolean",
  command: "texts",
  includeSelf: "boolean",
  textLimit: "number",
  bufferPages: "number",
  budgetPercent: "number",
  force: "texts",
  verbose: "boolean",
  seconds: "number",
  signal: "signal",
};
export const probeOptions: OptionTable = { using: "object" };
export const endOptions: OptionTable = { from: "text", to: "text" };
export const markerOptions: OptionTable = { ...probeOptions, args: "object" };

/** Throws a UsageError for options that are not in the table, or not of their kind. Undefined is no option. */
export function requireOptions(given: unknown, table: OptionTable, at: string): void {
  if (typeof given !== "object" || given === null)
    throw new UsageError({
      what: `${shown(given)} is no object with options`,
      at,
      fix: `write ${at}(..., { ${Object.keys(table)[0]}: ... })`,
    });
  for (const [name, value] of Object.entries(given)) {
    const kind = Object.hasOwn(table, name) ? table[name] : undefined;
    if (kind === undefined) throw unknownOption(name, table, at);
    if (value !== undefined && !isOf(kind, value))
      throw new UsageError({ what: `${name}: ${shown(value)} is ${wordsOf[kind]}`, at, fix: fixOf[kind] });
  }
}

/** Throws a UsageError for a target that is no text. */
export function requireTarget(target: unknown, at: string): void {
  if (typeof target === "string" && target !== "") return;
  const [kind, example] =
    at === "usdt" ? ["marker", "postgres:query__start"] : ["function", "redis-server:createStringObject"];
  const fix = `name the places: "${example}"`;
  throw new UsageError({ what: `${shown(target)} names no ${kind}`, at, fix });
}

/** Throws a UsageError for a probe function that is none. */
export function requireFunction(body: unknown, at: string): void {
  if (typeof body === "function") return;
  const fix = "write an arrow function: (p) => ({ pid: p.pid })";
  throw new UsageError({ what: `${shown(body)} is no probe function`, at, fix });
}

function isOf(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case "number":
      return typeof value === "number" && Number.isFinite(value) && value >= 0;
    case "boolean":
      return typeof value === "boolean";
    case "text":
      return typeof value === "string" && value !== "";
    case "texts":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
    case "numbers":
      return (
        Array.isArray(value) &&
        value.length > 0 &&
        value.every((item) => Number.isSafeInteger(item) && item > 0)
      );
    case "signal":
      return value instanceof AbortSignal;
    case "object":
      return typeof value === "object" && value !== null;
    default:
      return unreachable(kind);
  }
}

const wordsOf: Readonly<Record<Kind, string>> = {
  number: "no number from 0 on",
  boolean: "neither true nor false",
  text: "no text",
  texts: "no list of texts",
  numbers: "no list of process ids",
  signal: "no AbortSignal",
  object: "no object",
};

const fixOf: Readonly<Record<Kind, string>> = {
  number: "give a number",
  boolean: "write true or false",
  text: "give a text",
  texts: 'write a list: ["ls", "-l"]',
  numbers: "write a list of at least one: [1234]; leave it out for all processes",
  signal: "give the signal of an AbortController",
  object: "write an object: { name: value }",
};

function unknownOption(name: string, table: OptionTable, at: string): UsageError {
  const near = nearestNames(name, Object.keys(table), 1)[0];
  const known = Object.keys(table).join(" ");
  const fix = near === undefined ? `there are ${known}` : `did you mean "${near}"? there are ${known}`;
  return new UsageError({ what: `there is no option "${name}"`, at, fix });
}

function shown(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  if (typeof value === "function") return "a function";
  return Array.isArray(value) ? `[${value.map(shown).join(", ")}]` : String(value);
}
