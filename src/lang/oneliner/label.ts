/** Owns the label behind a distribution: `#TEXT` up to the end. Does not own what stands before it. */

export interface FoundLabel {
  readonly label: string | undefined;
  /** The first place that is not the body's. */
  readonly bodyEnd: number;
}

/**
 * Finds the first `#` outside of quotes, or `;`, which BCC's manual writes once; no expression holds either. An empty label is
 * none.
 */
export function findLabel(source: string, start: number): FoundLabel {
  const rest = source.slice(start);
  for (const { 0: piece, index } of rest.matchAll(/"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|[#;]/g)) {
    if (piece !== "#" && piece !== ";") continue;
    const label = rest.slice(index + 1).trim();
    return { label: label === "" ? undefined : label, bodyEnd: start + index };
  }
  return { label: undefined, bodyEnd: source.length };
}
