/**
 * Owns the forms in which people write the name of a C++ or Rust function: whole, without parameters, without templates.
 * Does not own demangling itself (demangle/) nor the search (functions.ts).
 */

/**
 * Lists the forms of a demangled name, the whole first: `int ns::f<int>(int) const` is also `int ns::f<int>`,
 * `ns::f<int>` and `ns::f`. Pieces of functions (`[clone .cold]`) have only their whole name.
 */
export function nameForms(demangled: string): string[] {
  if (demangled.endsWith("]") && demangled.includes(" [clone ")) return [demangled];
  const plain = demangled.replaceAll(/\[abi:[^\]]*\]/g, "").replace(/::h[0-9a-f]{16}$/, "");
  const withoutParameters = cutParameters(plain);
  const withoutReturn = cutReturnType(withoutParameters);
  return [...new Set([demangled, plain, withoutParameters, withoutReturn, cutTemplates(withoutReturn)])];
}

/**
 * Returns the pieces of a pattern that every mangled form of a matching name must hold. Why: to demangle 80,000 names
 * takes half a second, to look for a piece in them takes milliseconds.
 */
export function literalPieces(pattern: string): string[] {
  const literal = pattern.replaceAll(/\\./g, " ").replaceAll(/\[[^\]]*\]/g, " ");
  return (literal.match(/[A-Za-z_]\w{2,}/g) ?? []).filter((piece) => !abbreviated.test(piece));
}

/** Words that a mangled name writes in another way: std, std::string ..., built-in types, and words of the demangler. */
const abbreviated =
  /^(?:s|st|std|str|string|basic_\w*|alloc\w*|allocator|[io]*stream|iostream|char\w*|bool|short|int|long|unsigned|signed|float|double|void|const|volatile|auto|decltype|wchar\w*|u?int128|__\w*|operator|new|delete|sizeof|typename|typeinfo|vtable|thunk|virtual|non|guard|variable|for|to|clone|abi|lambda|unnamed|type|anonymous|namespace|closure|shim|impl|as|dyn|mut|usize|isize|[iuf]\d+|nullptr\w*|complex|imaginary|enable_if|requires|this|true|false|traits|h[0-9a-f]*)$/;

function cutParameters(name: string): string {
  const end = name.replace(/(?: const| volatile| noexcept| &&?)+$/, "");
  if (!end.endsWith(")")) return name;
  let depth = 0;
  for (let at = end.length - 1; at > 0; at--) {
    if (end[at] === ")") depth++;
    else if (end[at] === "(" && --depth === 0) return end.slice(0, at);
  }
  return name;
}

/** Templates carry their return type: cuts all up to the last space outside of brackets, but not inside `operator new`. */
function cutReturnType(name: string): string {
  const operator = name.search(/\boperator\b/);
  const limit = operator === -1 ? name.length : operator;
  let depth = 0;
  for (let at = limit - 1; at > 0; at--) {
    const character = name[at]!;
    if (character === ">" || character === ")") depth++;
    else if (character === "<" || character === "(") depth--;
    else if (character === " " && depth === 0) return name.slice(at + 1);
  }
  return name;
}

function cutTemplates(name: string): string {
  if (/\boperator\b/.test(name) || name.startsWith("<")) return name;
  let result = "";
  let depth = 0;
  for (const character of name) {
    if (character === "<") depth++;
    if (depth === 0) result += character;
    if (character === ">") depth--;
  }
  return result;
}
