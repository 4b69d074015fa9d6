/** Owns the shape of a command. Does not own any command. */
import type { OptionRow, ParsedOptions } from "./options.js";

export interface Command {
  readonly name: string;
  /** Behind `uscope NAME`, in usage. */
  readonly usage: string;
  /** One paragraph. */
  readonly purpose: string;
  readonly options: readonly OptionRow[];
  /** Everything behind the first argument belongs to that, as if `--` stood there. */
  readonly endsAtArgument?: true;
  /** Command lines with one line of explanation each. */
  readonly examples: readonly (readonly [command: string, explanation: string])[];
  /** More for the end of the help text: columns, file formats. */
  readonly notes?: string;
  /** Returns the exit code. */
  run(options: ParsedOptions): Promise<number>;
}
