/**
 * Owns questions about text that no domain owns: glob patterns, nearest names, control bytes made visible.
 * Does not own printing of values or tables.
 */

/** Says whether a pattern needs matching at all, or is a plain name. */
export function isGlob(pattern: string): boolean {
  return /[*?[]/.test(pattern);
}

/** Makes a test of a glob over whole names: `*` any run, `?` one character, `[a-z]` and `[!a-z]` classes, `\` takes the next as it is. */
export function globMatcher(pattern: string): (name: string) => boolean {
  let source = "";
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index]!;
    const classEnd = character === "[" ? pattern.indexOf("]", index + 2) : -1;
    if (character === "*") source += "[^]*";
    else if (character === "?") source += "[^]";
    else if (classEnd > 0) {
      const body = pattern.slice(index + 1, classEnd).replaceAll("\\", "\\\\");
      source += `[${body.startsWith("!") ? `^${body.slice(1)}` : body.replace(/^\^/, "\\^")}]`;
      index = classEnd;
    } else {
      const literal = character === "\\" && index + 1 < pattern.length ? pattern[++index]! : character;
      source += literal.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
    }
  }
  const expression = new RegExp(`^${source}$`);
  return (name) => expression.test(name);
}

/** Returns up to `limit` candidates that are close to a misspelt name, nearest first. */
export function nearestNames(name: string, candidates: Iterable<string>, limit = 3): string[] {
  // Why: two changes turn a name of three letters into almost any other.
  const most = name.length < 4 ? 1 : Math.max(2, Math.floor(name.length / 3));
  const wanted = name.toLowerCase();
  const found: { name: string; distance: number }[] = [];
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > most) continue;
    const distance = editDistance(wanted, candidate.toLowerCase(), most);
    if (distance <= most && distance < name.length) found.push({ name: candidate, distance });
  }
  found.sort((left, right) => left.distance - right.distance || left.name.localeCompare(right.name));
  return [...new Set(found.map((entry) => entry.name))].slice(0, limit);
}

/** Shows control characters as escapes, so that traced text can never drive the operator's terminal. */
export function escapeControls(text: string): string {
  // Why: C1 controls (0x80-0x9f) drive terminals as ESC sequences do; line separators break one-line records;
  // bidirectional overrides reorder what is shown.
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, escapeOne);
}

function escapeOne(character: string): string {
  const named: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  const code = character.charCodeAt(0);
  return (
    named[character] ?? (code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`)
  );
}

/** Levenshtein distance, or `most + 1` as soon as it must be larger. */
function editDistance(left: string, right: string, most: number): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    let best = row;
    for (let column = 1; column <= right.length; column++) {
      const substitution = previous[column - 1]! + (left[row - 1] === right[column - 1] ? 0 : 1);
      const value = Math.min(substitution, previous[column]! + 1, current[column - 1]! + 1);
      current.push(value);
      best = Math.min(best, value);
    }
    if (best > most) return most + 1;
    previous = current;
  }
  return previous[right.length]!;
}
