import { describe, expect, it } from "vitest";
import { SourceError } from "../../../src/base/errors.js";
import { printTree } from "../../../src/lang/print-tree.js";
import { goldenCases } from "../../support/golden.js";
import { compileMarker } from "./markers.js";
import { parseText, printShapes } from "./support.js";

describe("probe functions", () => {
  it("become trees and shapes", () => {
    goldenCases("lang/scripts.txt", (source) => {
      const { tree, shapes } = parseText(source);
      const [, ...lines] = printTree(tree).split("\n");
      return `${lines.join("\n")}${printShapes(shapes)}`;
    });
  });

  for (const file of ["language", "numbers", "parameter", "aggregates"]) {
    it(`that are wrong say what, where, and what to do: ${file}`, () => {
      goldenCases(`lang/script-errors/${file}.txt`, (input) => {
        try {
          parseText(input);
        } catch (error) {
          expect(error).toBeInstanceOf(SourceError);
          return (error as SourceError).message;
        }
        throw new Error(`no error for ${input}`);
      });
    });
  }

  it("that are wrong say what, where, and what to do: markers", () => {
    goldenCases("lang/script-errors/markers.txt", (input) => {
      try {
        compileMarker(input);
      } catch (error) {
        expect(error).toBeInstanceOf(SourceError);
        return (error as SourceError).message;
      }
      throw new Error(`no error for ${input}`);
    });
  });
});
