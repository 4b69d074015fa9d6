/** Owns reading the table of `uscope trace` back: who, which place, what it said. Does not own --json. */
export interface ShownEvent {
  readonly pid: string;
  /** The FUNC column: a function, or `provider:marker`. */
  readonly name: string;
  readonly message: string;
}

/** Reads the lines below the header; what a traced command printed between them has no such columns. */
export function readEvents(stdout: string): ShownEvent[] {
  const [header = "", ...lines] = stdout.split("\n");
  const at = header.indexOf("FUNC");
  return lines.flatMap((line) => {
    const [, pid] = /^(\d+) +\d+ +\S/.exec(line) ?? [];
    const [, name, message] = /^(\S+) *(.*)$/.exec(line.slice(at)) ?? [];
    return pid === undefined || name === undefined ? [] : [{ pid, name, message: message ?? "" }];
  });
}

/** `provider:marker message` of each event. */
export function saidBy(stdout: string): string[] {
  return readEvents(stdout).map(({ name, message }) => `${name} ${message}`.trimEnd());
}
