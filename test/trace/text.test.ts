import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { decodeText, printBytes, rawBytes, readBytes } from "../../src/trace/text.js";

const shown = (bytes: Uint8Array): string => printBytes(Buffer.from(bytes), 0, bytes.length);

test.each([
  ["plain", Buffer.from("GET /index"), "GET /index"],
  ["line ends", Buffer.from("*1\r\n\t"), "*1\\r\\n\\t"],
  ["escape sequence", Buffer.from("\u001b[31mred"), "\\x1b[31mred"],
  ["UTF-8", Buffer.from("naïve 日本 🎉"), "naïve 日本 🎉"],
  ["C1 control in UTF-8", Buffer.from("\u009b31m"), "\\x9b31m"],
  ["right-to-left override", Buffer.from("a\u202eb"), "a\\u202eb"],
  ["broken UTF-8", Buffer.from([0x61, 0xff, 0xc3, 0x28]), "a\\xff\\xc3("],
  ["cut UTF-8", Buffer.from([0xe6, 0x97]), "\\xe6\\x97"],
  ["overlong UTF-8", Buffer.from([0xc0, 0xaf]), "\\xc0\\xaf"],
  ["modified UTF-8", Buffer.from("61c3bceda0bdedb88062", "hex"), "aü😀b"],
  ["modified UTF-8 behind broken bytes", Buffer.from("ffeda0bdedb880eda0bdedb881", "hex"), "\\xff😀😁"],
  ["half a pair of surrogates", Buffer.from("eda0bd61", "hex"), "\\xed\\xa0\\xbda"],
  ["a pair the wrong way round", Buffer.from("edb880eda0bd", "hex"), "\\xed\\xb8\\x80\\xed\\xa0\\xbd"],
  ["NUL", Buffer.from([0x61, 0, 0x62]), "a\\x00b"],
])("printBytes shows %s", (_name, bytes, expected) => {
  expect(shown(bytes)).toBe(expected);
});

test("printBytes never lets a control character through", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      expect(shown(bytes)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
    }),
    { numRuns: 2000 },
  );
});

test("printBytes leaves printable Unicode as it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 20 }), (text) => {
      fc.pre(!/[\p{C}\p{Zl}\p{Zp}]/u.test(text));
      expect(shown(Buffer.from(text))).toBe(text);
    }),
  );
});

test("decodeText takes UTF-8 only, rawBytes keeps every byte", () => {
  expect(decodeText(Buffer.from("é"))).toBe("é");
  expect(decodeText(Buffer.from([0xff]))).toBeUndefined();
  expect(decodeText(Buffer.from("eda0bdedb880c3bceda0bdedb881", "hex"))).toBe("😀ü😁");
  expect(decodeText(Buffer.from("eda0bdedb880ff", "hex"))).toBeUndefined();
  expect(decodeText(Buffer.from("eda0bdeda0bdedb880", "hex"))).toBeUndefined();
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  expect(Buffer.from(rawBytes(all, 0, 256), "latin1")).toEqual(all);
});

describe("readBytes", () => {
  it.each([
    ["plain", [0x61, 0x0a], "a\n"],
    ["UTF-8", [0x63, 0xc3, 0xa9], "cé"],
    ["broken, each as another text", [0x61, 0xff, 0xc3, 0xa9, 0xfe], "a\\xffé\\xfe"],
    ["cut inside a character", [0x61, 0xc3], "a\\xc3"],
  ])("%s", (_what, bytes, text) => {
    expect(readBytes(Buffer.from(bytes), 0, bytes.length)).toBe(text);
  });
});
