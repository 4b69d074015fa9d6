/**
 * Owns the frames of a stack as people read them: with or without the place inside the function, and folded for flame graphs.
 * Does not own their names (target/symbolize.ts) nor the stacks (stacks.ts).
 */

/** `function+0xOFFSET [module]`, as the library prints a frame; one without a name has its address there alone. */
const named = /^([^]*)\+0x[0-9a-f]+ (\[[^\]]*\])$/;
const placed = /^0x[0-9a-f]+ (\[[^\]]*\])$/;

/** Stands for all that lies beyond the last frame that is code of the process. */
export const unknown = "[unknown]";

/**
 * The frames up to the first address that lies in no code of the process. Why: in code without frame pointers the register holds
 * something else, which the kernel takes for a frame; from there on nothing is a caller.
 */
export function untilUnknown(frames: readonly string[]): readonly string[] {
  const last = frames.findIndex((frame, index) => index > 0 && nowhere.test(frame));
  return last === -1 ? frames : [...frames.slice(0, last), unknown];
}

const nowhere = /^0x[0-9a-f]+ \[unknown\]$/;

/** The frame without the place inside its function: `function [module]`. What has no name keeps its address. */
export function withoutOffset(frame: string): string {
  return frame.replace(named, "$1 $2");
}

/** The frame of a function that has another name than its symbol. */
export function withName(frame: string | undefined, name: string): string {
  const [, , module] = (frame === undefined ? undefined : named.exec(frame)) ?? [];
  const [, unnamed = module] = (frame === undefined ? undefined : placed.exec(frame)) ?? [];
  return unnamed === undefined ? name : `${name} ${unnamed}`;
}

/**
 * A line of flame graph tools without its count: outermost first, names alone; what has none is its module's. Spec: stackcollapse
 * of FlameGraph; a semicolon stands between frames and nowhere else.
 */
export function fold(frames: readonly string[], process: string | undefined): string {
  const names = frames
    .toReversed()
    .map((frame) => frame.replace(placed, "$1").replace(/(?<=[^]) \[[^\]]*\]$/, ""));
  return [...(process === undefined ? [] : [process]), ...names]
    .map((name) => name.replaceAll(";", ":"))
    .join(";");
}
