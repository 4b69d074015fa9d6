/**
 * Owns what a front hands to the compiler: text, tree, template, and its words.
 * Does not own how the text is written.
 */
import type { Span } from "../base/errors.js";
import type { Advice } from "./advice.js";
import type { Template } from "./template.js";
import type { ProbeTree } from "./tree.js";

/** A probe as its author wrote it, ready to be compiled for a target. */
export interface ParsedProbe {
  /** All spans point into it. */
  readonly source: string;
  readonly tree: ProbeTree;
  /** How to print an event, where the author said so; its conversions count the author's fields from 0. */
  readonly template: Template | undefined;
  /** A marker without a format: its events show its arguments. They are known when the target has been asked. */
  readonly shown?: "all arguments" | readonly ShownArgument[];
  /** Of a marker whose arguments the author has named: the names, and where the first is used. */
  readonly declaration?: { readonly names: readonly string[]; readonly span: Span } | undefined;
  /** The ways out of problems, in the front's words. */
  readonly advice: Advice;
}

/** An argument of a marker as an event shows it; what can be read nowhere has no field, the others have one of that name. */
export interface ShownArgument {
  readonly name: string;
  readonly display: "decimal" | "hex" | "boolean" | "text" | "unreadable";
}
