/** Owns the table that a run makes: its rows, as text for a terminal and as Markdown. Does not own what is measured. */

export interface Row {
  readonly what: string;
  readonly measured: string;
  /** What it is compared with in the same run, and how many times that it is. */
  readonly ratio?: { readonly value: number; readonly of: string } | undefined;
  /** What was asked for, and whether it was reached. */
  readonly bar?: { readonly text: string; readonly held: boolean } | undefined;
}

export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
  /** What one must know to read the rows. */
  readonly notes: readonly string[];
}

/** A bar for a number that is to be at most so large. */
export function atMost(
  limit: number,
  value: number,
  text = `<= ${limit}`,
): { readonly text: string; readonly held: boolean } {
  return { text, held: value <= limit };
}

/** Prints a section for a terminal. */
export function printSection({ title, rows, notes }: Section): string {
  const cells = rows.map(cellsOf);
  const widths = headings.map((_, column) =>
    Math.max(headings[column]!.length, ...cells.map((row) => row[column]!.length)),
  );
  const line = (row: readonly string[]): string =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")}`.trimEnd();
  return [title, line(headings), ...cells.map(line), ...notes.map((note) => `  ${note}`), "", ""].join("\n");
}

/** Prints all sections as one Markdown table, with a row for each title, and the notes below. */
export function printMarkdown(sections: readonly Section[]): string {
  const rows = sections.flatMap(({ title, rows }) => [
    markdownLine([`**${title}**`, "", "", "", ""]),
    ...rows.map((row) => markdownLine(cellsOf(row))),
  ]);
  const notes = sections.flatMap(({ title, notes }) => notes.map((note) => `- ${title}: ${note}`));
  return [markdownLine(headings), markdownLine(headings.map(() => "---")), ...rows, "", ...notes, ""].join(
    "\n",
  );
}

const headings: readonly string[] = ["what", "measured", "ratio", "bar", "verdict"];

function cellsOf({ what, measured, ratio, bar }: Row): readonly string[] {
  return [
    what,
    measured,
    ratio === undefined ? "" : `${ratio.value.toFixed(2)} x ${ratio.of}`,
    bar?.text ?? "",
    bar === undefined ? "" : bar.held ? "held" : "missed",
  ];
}

function markdownLine(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
