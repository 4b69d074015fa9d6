/** Owns why a trace ended. Does not own what is said about it. */
export type Ending =
  /** Ctrl-C, a signal, -M, -d, a closed pipe: whoever runs the trace asked for it. */
  | { readonly kind: "stopped"; readonly command?: "killed" }
  /** All processes of -p are gone. */
  | { readonly kind: "processes ended" }
  | { readonly kind: "command ended"; readonly exitCode: number }
  /** Hits times their cost exceeded the share of a core that was allowed. */
  | { readonly kind: "over budget"; readonly percent: number };
