/**
 * Owns a whole probe function: its text as a tree, and the shapes of what it returns.
 * Does not own its parts, which have a file each.
 */
import { SourceError } from "../../base/errors.js";
import type { ParsedProbe } from "../probe.js";
import type { Selector } from "../tree.js";
import { scriptAdvice } from "./advice.js";
import { Draft } from "./draft.js";
import type { ProbeKind } from "./draft.js";
import type { DeclaredArguments } from "./parameter.js";
import type { HandedOver } from "./handed-over.js";
import { joinKeeps, refuseNothings } from "./results.js";
import type { Shape } from "./shape.js";
import { parseSource } from "./source.js";
import { readFunction } from "./statements.js";

export interface ScriptRequest {
  /** What `toString` gives of the function. */
  readonly source: string;
  readonly at: ProbeKind;
  readonly selector: Selector;
  readonly handed: HandedOver;
  /** At the return of a span: what its entry returned; its fields count the fields of `keep`. */
  readonly kept?: Shape;
  /** Of a marker. */
  readonly declared?: DeclaredArguments | undefined;
}

export interface ParsedScript extends ParsedProbe {
  /** One for each `emit`, by its `shape`; of a span's entry the one that is kept. */
  readonly shapes: readonly Shape[];
}

/** Parses a probe function. Throws a SourceError that holds every problem found. */
export function parseScript(request: ScriptRequest): ParsedScript {
  const source = parseSource(request.source);
  const { draft, body } = write("values");
  if (request.at !== "span-entry" || draft.keeps.length > 0) return scriptOf(draft, body);
  // Why: an entry that never returns a value hands nothing on, and its calls are followed all the same.
  const again = write("nothing");
  return scriptOf(again.draft, again.body);

  function write(keeps: "values" | "nothing") {
    const draft = new Draft(source, request, keeps);
    try {
      const body = draft.collect(() => readFunction(draft));
      joinKeeps(draft);
      refuseNothings(draft);
      draft.problems.throwIfAny(request.source);
      return { draft, body };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const span = { start: 0, end: request.source.length };
      throw new SourceError(request.source, [
        { what: "this is nested too deeply", span, fix: "name parts of it with const" },
      ]);
    }
  }

  function scriptOf(
    { shapes, declaration }: Draft,
    statements: readonly ParsedProbe["tree"]["body"][number][],
  ): ParsedScript {
    const tree = { selector: request.selector, parameters: [], body: statements };
    const { source } = request;
    return { source, tree, template: undefined, declaration, advice: scriptAdvice, shapes };
  }
}
