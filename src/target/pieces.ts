/**
 * Owns the names that compilers give to pieces of a function which they move away from it, and reach by jumps.
 * Does not own copies of functions, which are called: f.constprop.0, f.isra.0, f.part.0.
 */

/**
 * Returns the function that a name's code is a piece of; undefined for functions.
 * Source: gcc writes f.cold (before gcc 8: f.cold.7), clang's and BOLT's splitting f.cold, f.cold.1 and f.__part.1.
 */
export function wholeOfPiece(name: string): string | undefined {
  const end = name.search(/\.(?:cold|__part)(?:\.\d+)?$/);
  return end <= 0 ? undefined : name.slice(0, end);
}
