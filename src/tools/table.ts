/**
 * Owns texts beside each other: where each column stands, and what a line does that has a text too long for its column.
 * Does not own what the texts say (rows.ts, count.ts, latency.ts).
 */

export interface ColumnForm {
  /** Characters. */
  readonly width: number;
  /** Numbers stand to the right in their column. */
  readonly isNumber: boolean;
}

/** Puts each text where its column stands, or behind what is too long, until blanks make up for it. */
export function layOut(columns: readonly ColumnForm[], texts: readonly string[]): string {
  let line = "";
  let end = 0;
  columns.forEach(({ width, isNumber }, index) => {
    const text = texts[index]!;
    const start = index === 0 ? 0 : Math.max(line.length, end) + 1;
    line = line.padEnd(start);
    end = (index === 0 ? 0 : end + 1) + width;
    line += isNumber ? text.padStart(end - line.length) : text;
  });
  return `${line.trimEnd()}\n`;
}

/** Characters that a name's column grows to; a longer name pushes the numbers of its own line away. */
const widestName = 72;

/** Prints rows of a name and, to the right, numbers: the header first. */
export function printTable(rows: readonly (readonly string[])[]): string {
  const columns = (rows[0] ?? []).map((_, column): ColumnForm => {
    const lengths = rows.map((row) => row[column]!.length);
    const fitting = column === 0 ? lengths.filter((length) => length <= widestName) : lengths;
    return { width: fitting.reduce((widest, length) => Math.max(widest, length), 0), isNumber: column > 0 };
  });
  return rows.map((row) => layOut(columns, row)).join("");
}
