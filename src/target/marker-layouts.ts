/**
 * Owns where the arguments of markers lie for the compiler: one layout per place, and one type per argument over all of them.
 * Does not own the notes that say so (usdt/).
 */
import { unreachable } from "../base/assert.js";
import type { VirtualAddress } from "../base/bytes.js";
import type { Machine } from "../isa/instruction-class.js";
import type { Layout, MarkerArguments, ValuePlace } from "../lang/target.js";
import type { MarkerArgument } from "../usdt/marker.js";

type IntegerType = NonNullable<Layout["argumentTypes"]>[number];
type TypedPlace = Exclude<ValuePlace, { kind: "unreadable" }>;

/** The layout at a marker that stands at this address. `returnAddress`: where it is, when the marker begins a function. */
export function markerLayout(
  machine: Machine,
  address: VirtualAddress,
  {
    argumentsOf,
    returnAddress,
  }: {
    readonly argumentsOf: readonly MarkerArgument[];
    readonly returnAddress: Layout["returnAddress"];
  },
): Layout {
  return {
    arguments: argumentsOf.map((argument) => placeOf(machine, address, argument)),
    returned: undefined,
    returnAddress,
    missing: undefined,
  };
}

/** Which marker a layout is of. */
export interface LayoutMarker extends Pick<MarkerArguments, "declared"> {
  /** Of its provider and its own. */
  readonly name: string;
}

/**
 * Gives each argument one type over all layouts, in which every place's own value fits, and says of places that lack what
 * others have that a hit there faults. Why: the compiler sends one kind of event for all places of a probe.
 */
export function uniteArguments(
  layouts: readonly Layout[],
  markers: readonly LayoutMarker[],
): readonly Layout[] {
  const own = ownArguments(layouts, markers);
  const most = layouts.reduce((count, { arguments: { length } }) => Math.max(count, length), 0);
  const columns = Array.from({ length: most }, (_, index) =>
    layouts.map((layout) => layout.arguments[index] ?? absent(layout)),
  );
  const typed = columns.map((column) => column.filter(isTyped));
  const types = typed.map(commonType);
  return layouts.map((layout, row) => ({
    ...layout,
    arguments: columns.map((column, index) => {
      const place = column[row]!;
      if (place.kind !== "unreadable" || typed[index]!.length === 0) return place;
      return { kind: "lacking", reason: place.reason, type: types[index]! };
    }),
    argumentTypes: types,
    marker: own[row]!,
  }));
}

/** What each layout's marker has over all its places; other versions of it may have another number of arguments. */
function ownArguments(layouts: readonly Layout[], markers: readonly LayoutMarker[]): MarkerArguments[] {
  const twins = new Map<string, Layout[]>();
  const keys = layouts.map((layout, row) => `${layout.arguments.length} ${markers[row]!.name}`);
  layouts.forEach((layout, row) => {
    const known = twins.get(keys[row]!);
    if (known === undefined) twins.set(keys[row]!, [layout]);
    else known.push(layout);
  });
  const types = new Map<string, MarkerArguments["types"]>();
  for (const [key, places] of twins) {
    const columns = places[0]!.arguments.map((_, index) => places.map((layout) => layout.arguments[index]!));
    types.set(key, columns.map(typeOf));
  }
  return keys.map((key, row) => ({ declared: markers[row]!.declared, types: types.get(key)! }));
}

function typeOf(column: readonly ValuePlace[]): MarkerArguments["types"][number] {
  const [first] = column;
  if (first?.kind === "unreadable" && !column.some(isTyped)) return first;
  return commonType(column.filter(isTyped));
}

/**
 * Gives the places of a later file the types that the probe's events have by one of its layouts; what does not fit is
 * unreadable, so that a probe that reads it is refused there.
 */
export function fitArguments(
  layouts: readonly Layout[],
  { arguments: places, argumentTypes = [] }: Layout,
): readonly Layout[] {
  return layouts.map((layout) => ({
    ...layout,
    arguments: places.map((known, index) => {
      const place = layout.arguments[index] ?? absent(layout);
      if (!isTyped(known)) return place;
      const type = argumentTypes[index] ?? known.type;
      if (place.kind === "unreadable") return { kind: "lacking", reason: place.reason, type };
      const both = place.kind === "constant" ? typeWith(type, place) : typeOfBoth(type, place.type);
      return isSameType(both, type) ? place : { kind: "unreadable", reason: unfit(place.type, type) };
    }),
    argumentTypes,
  }));
}

function absent({ arguments: { length } }: Layout): ValuePlace {
  const count = length === 1 ? "1 argument" : `${length === 0 ? "no" : length} arguments`;
  return { kind: "unreadable", reason: `this place has ${count}` };
}

function isSameType(one: IntegerType, other: IntegerType): boolean {
  return one.bytes === other.bytes && one.signed === other.signed;
}

function unfit(own: IntegerType, known: IntegerType): string {
  return `${printType(own)} does not fit into ${printType(known)}, which it is in the files before`;
}

function printType({ bytes, signed }: IntegerType): string {
  return `${signed ? "a signed" : "an unsigned"} number of ${bytes * 8} bits`;
}

function isTyped(place: ValuePlace): place is TypedPlace {
  return place.kind !== "unreadable";
}

/** Why constants by their value: compilers write a null pointer as -4@$0 where others have 8@%rax. */
function commonType(places: readonly TypedPlace[]): IntegerType {
  const moving = places.filter(({ kind }) => kind !== "constant");
  const widest = (moving.length > 0 ? moving : places)
    .map(({ type }) => type)
    .reduce<IntegerType | undefined>(
      (common, type) => (common === undefined ? type : typeOfBoth(common, type)),
      undefined,
    );
  return places.reduce<IntegerType>(
    (type, place) => (place.kind === "constant" ? typeWith(type, place) : type),
    widest ?? { kind: "integer", bytes: 8, signed: false },
  );
}

/** Of 64 bits with and without a sign the signed one: sizes beyond 2^63 are rarer than negative numbers. */
function typeOfBoth(one: IntegerType, other: IntegerType): IntegerType {
  if (one.signed === other.signed) return one.bytes >= other.bytes ? one : other;
  const [signed, unsigned] = one.signed ? [one, other] : [other, one];
  if (signed.bytes > unsigned.bytes) return signed;
  return { kind: "integer", bytes: wider(unsigned.bytes), signed: true };
}

function typeWith(
  type: IntegerType,
  { value, type: own }: Extract<ValuePlace, { kind: "constant" }>,
): IntegerType {
  const meant = own.signed ? BigInt.asIntN(own.bytes * 8, value) : BigInt.asUintN(own.bytes * 8, value);
  const bits = type.bytes * 8;
  const fits = meant === (type.signed ? BigInt.asIntN(bits, meant) : BigInt.asUintN(bits, meant));
  return fits ? type : typeOfBoth(type, own);
}

function wider(bytes: IntegerType["bytes"]): IntegerType["bytes"] {
  return ({ 1: 2, 2: 4, 4: 8, 8: 8 } as const)[bytes];
}

function placeOf(
  machine: Machine,
  address: VirtualAddress,
  { place, size, signed, isFloat }: MarkerArgument,
): ValuePlace {
  const type = { kind: "integer", bytes: size, signed } as const;
  if (place.kind === "unreadable") return place;
  if (isFloat) return { kind: "unreadable", reason: "it is a floating-point number" };
  switch (place.kind) {
    case "constant":
      return { kind: "constant", value: place.value, type };
    case "register": {
      const { register, shift } = place;
      return { kind: "register", register, ...(shift === 0 ? {} : { shift }), type };
    }
    case "memory": {
      const { extend, ...address } = place;
      return { ...address, ...(extend === undefined ? {} : { extend }), type };
    }
    case "static":
      // Kernel: at a hit the saved instruction pointer is the probe's own address, also where a nop5 has become a call.
      return {
        kind: "memory",
        base: instructionPointer[machine],
        index: undefined,
        scale: 1,
        displacement: BigInt(place.address) - BigInt(address),
        type,
      };
    default:
      return unreachable(place);
  }
}

const instructionPointer: Readonly<Record<Machine, string>> = { "x86-64": "ip", arm64: "pc" };
