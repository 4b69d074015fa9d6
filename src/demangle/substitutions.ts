/**
 * Owns what a C++ symbol abbreviates: `S_`, `S0_` ... for earlier parts, `Sa`, `Ss` ... for names of the standard
 * library, `T_`, `T0_` ... for template parameters. Does not own the parts that they stand for.
 */
import type { Cursor } from "./cursor.js";
import { type TypeText, plainType } from "./type-text.js";

interface Standard {
  readonly type: TypeText;
  /** The name when a constructor or destructor follows, which the short name does not have. */
  readonly spelled: TypeText;
}

// Spec: Itanium C++ ABI 5.1.8.
const standard: Readonly<Record<string, Standard>> = {
  a: abbreviation("allocator", "allocator"),
  b: abbreviation("basic_string", "basic_string"),
  s: abbreviation("string", "basic_string", "<char, std::char_traits<char>, std::allocator<char> >"),
  i: abbreviation("istream", "basic_istream", "<char, std::char_traits<char> >"),
  o: abbreviation("ostream", "basic_ostream", "<char, std::char_traits<char> >"),
  d: abbreviation("iostream", "basic_iostream", "<char, std::char_traits<char> >"),
};

const nothing = plainType("");

/** Reads a substitution, from `S` on; `St` is a scope, not a type, and is read by names. */
export function readSubstitution(cursor: Cursor): TypeText {
  cursor.at++;
  const letter = cursor.peek();
  if (letter >= 0x61 && letter <= 0x7a) {
    const found = standard[cursor.text.charAt(cursor.at++)];
    if (found === undefined) {
      cursor.fail();
      return nothing;
    }
    const next = cursor.peek();
    const after = cursor.peekNext();
    const isConstructor = next === 0x43 || (next === 0x44 && after >= 0x30 && after <= 0x39);
    return isConstructor ? found.spelled : found.type;
  }
  const index = cursor.index(36);
  const type = cursor.substitutions[index];
  if (type === undefined) {
    cursor.fail();
    return nothing;
  }
  const source = cursor.findSource(index);
  if (source === undefined) return cursor.copy(type);
  cursor.paramReads++;
  // Why: `S_` for `T` means the `T` of the place where it stands: that of another template, `auto` in a lambda's
  // parameters, one element inside a pack's expansion.
  const isBound = source.params === cursor.params && !cursor.inLambda && cursor.packIndex < 0;
  if (isBound) return cursor.copy(type);
  cursor.enter();
  const again = cursor.readAgain(source);
  cursor.leave();
  return again;
}

/** Reads a template parameter, from `T` on. */
export function readTemplateParam(cursor: Cursor): TypeText {
  cursor.at++;
  const index = cursor.index(10);
  cursor.paramReads++;
  if (cursor.inLambda) return plainType(`auto:${index + 1}`);
  const argument = cursor.params?.[index];
  if (argument === undefined) {
    // Why: the arguments of a conversion operator come behind its type, which is then read again.
    cursor.isUnresolved = true;
    if (!cursor.inConversion) cursor.fail();
    return nothing;
  }
  if (!Array.isArray(argument)) return cursor.copy(argument as TypeText);
  const elements = argument as readonly TypeText[];
  if (cursor.packLength < 0) cursor.packLength = elements.length;
  const element = elements[Math.max(0, cursor.packIndex)];
  if (element !== undefined) return cursor.copy(element);
  if (cursor.packIndex !== 0 || cursor.packLength > 0) cursor.fail();
  return nothing;
}

function abbreviation(short: string, name: string, templateArgs = ""): Standard {
  return { type: plainType(`std::${short}`, name), spelled: plainType(`std::${name}${templateArgs}`, name) };
}
