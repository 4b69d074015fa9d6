/**
 * Owns how C++ types are put together as text: what stands left and right of the place where a declared name would be.
 * Does not own reading them from symbols.
 */

/** A type as two texts: `int (*` and `)(char)` for a pointer to a function. */
export interface TypeText {
  /** A function's left part ends with the blank that separates it from its parameters. */
  readonly left: string;
  readonly right: string;
  readonly kind: "plain" | "function" | "array" | "lvalue" | "rvalue";
  /** What a reference refers to. */
  readonly target: TypeText | undefined;
  /** What the constructors of this class are called, or "". */
  readonly name: string;
}

export function plainType(left: string, name = ""): TypeText {
  return { left, right: "", kind: "plain", target: undefined, name };
}

export function printType(type: TypeText): string {
  return type.right === "" ? type.left : type.left + type.right;
}

export function pointerTo(type: TypeText): TypeText {
  return around(type, "*", "plain", undefined);
}

/** A reference; references to references collapse as the language says. */
export function referenceTo(type: TypeText, kind: "lvalue" | "rvalue"): TypeText {
  if (type.kind === "lvalue" || (type.kind === "rvalue" && kind === "rvalue")) return type;
  const target = type.kind === "rvalue" && type.target !== undefined ? type.target : type;
  return around(target, kind === "lvalue" ? "&" : "&&", kind, target);
}

export function memberPointer(owner: string, type: TypeText): TypeText {
  const mark = `${owner}::*`;
  return around(
    type,
    type.kind === "function" || type.kind === "array" ? mark : ` ${mark}`,
    "plain",
    undefined,
  );
}

/** A type with words behind it: " const", " volatile", " restrict", or a vendor's. */
export function qualifiedType(type: TypeText, words: string): TypeText {
  const { left, right } = type;
  if (type.kind === "function") return { ...type, right: right + words };
  return {
    left: left + words,
    right,
    kind: type.kind === "array" ? "array" : "plain",
    target: undefined,
    name: "",
  };
}

export function arrayOf(type: TypeText, size: string): TypeText {
  const right = type.kind === "array" ? ` [${size}]${type.right.slice(1)}` : ` [${size}]${type.right}`;
  return { left: type.left, right, kind: "array", target: undefined, name: "" };
}

export function functionOf(result: TypeText, signature: string): TypeText {
  const left = result.right === "" ? `${result.left} ` : result.left;
  return { left, right: signature + result.right, kind: "function", target: undefined, name: "" };
}

function around(
  type: TypeText,
  mark: string,
  kind: TypeText["kind"],
  target: TypeText | undefined,
): TypeText {
  switch (type.kind) {
    case "function":
      return { left: `${type.left}(${mark}`, right: `)${type.right}`, kind, target, name: "" };
    case "array":
      return { left: `${type.left} (${mark}`, right: `)${type.right}`, kind, target, name: "" };
    default:
      return { left: type.left + mark, right: type.right, kind, target, name: "" };
  }
}
