/**
 * Owns the template of a printed line: text and conversions, as C's printf writes them.
 * Does not own parsing it (oneliner/) nor printing values with it (trace/).
 */

export type TemplatePart =
  | { readonly kind: "literal"; readonly text: string }
  | {
      readonly kind: "conversion";
      /** Index of the event field that it shows. */
      readonly field: number;
      readonly conversion: "d" | "u" | "x" | "X" | "o" | "p" | "c" | "s" | "U" | "K";
      readonly leftAlign: boolean;
      readonly plusSign: boolean;
      readonly spaceSign: boolean;
      readonly alternate: boolean;
      readonly zeroPad: boolean;
      /** Least characters. */
      readonly width: number | undefined;
      /** Digits of an integer at least, or characters of text at most. */
      readonly precision: number | undefined;
    };

export type Template = readonly TemplatePart[];
