/**
 * Owns what a front hands to the compiler: text, tree, template, and its words.
 * Does not own how the text is written.
 */
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
  /** The ways out of problems, in the front's words. */
  readonly advice: Advice;
}
