/**
 * Owns the message of an event: the probe's template filled with the event's fields.
 * Does not own the columns before it (tools/), nor printf's rules for one value (printf.ts).
 */
import { assert, unreachable } from "../base/assert.js";
import type { EventField, EventLayout } from "../lang/event.js";
import type { Template } from "../lang/template.js";
import { fault, isFault, pidOf, readField, readInteger } from "./events.js";
import type { EventRecord, TextPrinter } from "./events.js";
import { printInteger, printPadded } from "./printf.js";
import type { Conversion } from "./printf.js";

/** What stands in place of a value that could not be read. */
const faultText = "<fault>";

/** Names an address of a process (`%U`) or of the kernel (`%K`, pid 0). */
export type AddressPrinter = (pid: number, address: bigint) => string;

/** Prints one event's part of a line. */
export type MessagePrinter = (record: EventRecord) => string;

/** Makes the printer of a template once, so that each event costs only its own values. */
export function messagePrinter(
  template: Template,
  layout: EventLayout,
  textOf: TextPrinter,
  printAddress: AddressPrinter,
): MessagePrinter {
  const parts = template.map((part): MessagePrinter | string => {
    if (part.kind === "literal") return part.text;
    const field = layout.fields[part.field];
    assert(field, "a conversion without a field");
    return conversionPrinter({ conversion: part, field, index: part.field, textOf, printAddress });
  });
  return (record) => {
    let message = "";
    for (const part of parts) message += typeof part === "string" ? part : part(record);
    return message;
  };
}

/** One conversion of a template, and what it shows. */
interface ShownField {
  readonly conversion: Conversion;
  readonly field: EventField;
  /** The field's place in the event. */
  readonly index: number;
  readonly textOf: TextPrinter;
  readonly printAddress: AddressPrinter;
}

function conversionPrinter(shown: ShownField): MessagePrinter {
  const { conversion, index } = shown;
  const read = valuePrinter(shown);
  const faultShown = printPadded(faultText, conversion);
  return (record) => (isFault(record, index) ? faultShown : read(record));
}

function valuePrinter(shown: ShownField): MessagePrinter {
  const { conversion, field, textOf, printAddress } = shown;
  const { offset, value } = field;
  switch (conversion.conversion) {
    case "d":
    case "u":
    case "x":
    case "X":
    case "o":
    case "p":
      assert(value.kind === "integer", "an integer conversion of another field");
      return integerPrinter(conversion, offset, value.type.bytes, value.type.signed);
    case "c":
      return ({ bytes, at }) => printPadded(textOf(bytes, at + offset, at + offset + 1), conversion);
    case "s":
      return (record) => printPadded(printText(record, shown), conversion);
    case "U":
      return (record) =>
        printPadded(
          printAddress(pidOf(record), record.view.getBigUint64(record.at + offset, true)),
          conversion,
        );
    case "K":
      return (record) =>
        printPadded(printAddress(0, record.view.getBigUint64(record.at + offset, true)), conversion);
    default:
      return unreachable(conversion.conversion);
  }
}

function integerPrinter(
  conversion: Conversion,
  offset: number,
  bytes: number,
  signed: boolean,
): MessagePrinter {
  const { width, precision, plusSign, spaceSign, alternate } = conversion;
  const plain = width === undefined && precision === undefined && !plusSign && !spaceSign && !alternate;
  if (!plain || !"du".includes(conversion.conversion)) {
    return ({ view, at }) => printInteger(readInteger(view, at + offset, bytes, signed), conversion);
  }
  if (bytes < 8) return ({ view, at }) => `${readInteger(view, at + offset, bytes, signed)}`;
  // Why: most 64-bit values are small, and a BigInt costs ten times a number.
  return ({ view, at }) =>
    view.getUint32(at + offset + 4, true) === 0
      ? `${view.getUint32(at + offset, true)}`
      : `${readInteger(view, at + offset, bytes, signed)}`;
}

function printText(record: EventRecord, { conversion, field, index, textOf }: ShownField): string {
  const { precision } = conversion;
  let isCutByPrecision = false;
  // Spec: C17 7.21.6.1: a precision of %s counts bytes; so it must cut before bytes become escapes.
  const cutting: TextPrinter = (bytes, start, end) => {
    isCutByPrecision = precision !== undefined && end - start > precision;
    return textOf(bytes, start, isCutByPrecision ? start + precision! : end);
  };
  const value = readField(record, field, index, precision === undefined ? textOf : cutting);
  if (value === fault) return faultText;
  if (value === null) return "(null)";
  if (typeof value === "string") return value;
  assert(typeof value === "object" && "text" in value, "%s of a field that is no text");
  // Why: with a precision the author chose where to cut, so that no mark is needed there.
  return value.cut && !isCutByPrecision ? `${value.text}...` : value.text;
}
