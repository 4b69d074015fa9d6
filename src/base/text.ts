/**
 * Owns questions about text that no domain owns: glob patterns, nearest names, control bytes made visible.
 * Does not own printing of values or tables.
 */

/** Says whether a pattern needs matching at all, or is a plain name. */
export function isGlob(pattern: string): boolean {
  return /[*?[]/.test(pattern);
}

/**
 * Makes a test of a glob over whole names: `*` any run, `?` one character, `[a-z]` and `[!a-z]` classes, `\` takes the next as it is.
 * As in fnmatch, a reversed range holds nothing and a `[` without its `]` stands for itself. Takes at most pattern times name steps.
 */
export function globMatcher(pattern: string): (name: string) => boolean {
  const steps = parseGlob(pattern);
  return (name) => matchesSteps(steps, name);
}

/** Any run, one code unit, or one of a class. */
type GlobStep = "*" | number | ((unit: number) => boolean);

function parseGlob(pattern: string): GlobStep[] {
  const steps: GlobStep[] = [];
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index]!;
    const bodyStart = index + (pattern[index + 1] === "!" ? 2 : 1);
    // Spec: POSIX 2.13.1: a `]` that comes first stands for itself.
    const classEnd = character === "[" ? pattern.indexOf("]", bodyStart + 1) : -1;
    if (character === "*") steps.push("*");
    else if (character === "?") steps.push(() => true);
    else if (classEnd > 0) {
      const isWithin = parseClass(pattern.slice(bodyStart, classEnd));
      steps.push(bodyStart === index + 1 ? isWithin : (unit) => !isWithin(unit));
      index = classEnd;
    } else {
      if (character === "\\" && index + 1 < pattern.length) index++;
      steps.push(pattern.charCodeAt(index));
    }
  }
  return steps;
}

function parseClass(body: string): (unit: number) => boolean {
  const ranges: { readonly first: number; readonly last: number }[] = [];
  for (let index = 0; index < body.length; index++) {
    const first = body.charCodeAt(index);
    if (body[index + 1] === "-" && index + 2 < body.length) index += 2;
    ranges.push({ first, last: body.charCodeAt(index) });
  }
  return (unit) => ranges.some(({ first, last }) => first <= unit && unit <= last);
}

/** Why no RegExp: it tries every way to share a name among all its stars; to move the last star alone is enough. */
function matchesSteps(steps: readonly GlobStep[], name: string): boolean {
  let step = 0;
  let afterStar = -1;
  let runEnd = 0;
  for (let at = 0; at < name.length;) {
    const wanted = steps[step];
    const unit = name.charCodeAt(at);
    if (wanted === "*") {
      afterStar = ++step;
      if (afterStar === steps.length) return true;
      runEnd = at;
    } else if (wanted === unit || (typeof wanted === "function" && wanted(unit))) {
      step++;
      at++;
    } else if (afterStar >= 0) {
      step = afterStar;
      at = ++runEnd;
    } else return false;
  }
  while (steps[step] === "*") step++;
  return step === steps.length;
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

/** The same for text of several lines, whose line ends are our own: names of files and functions stand in messages too. */
export function escapeLines(text: string): string {
  return text.split("\n").map(escapeControls).join("\n");
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
