/** Owns -A: equal output once, with its count, as BCC's trace prints it. Does not own the output itself. */
export class Aggregate {
  readonly #counts = new Map<string, number>();

  add(text: string): void {
    this.#counts.set(text, (this.#counts.get(text) ?? 0) + 1);
  }

  /** Most frequent first. */
  print(write: (text: string) => void): void {
    const rows = [...this.#counts].sort(([, left], [, right]) => right - left);
    for (const [text, count] of rows) write(`${text.replace(/\n+$/, "\n")}-->COUNT ${count}\n\n`);
  }
}
