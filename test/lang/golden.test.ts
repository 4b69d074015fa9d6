import { describe, expect, it } from "vitest";
import { UscopeError } from "../../src/base/errors.js";
import { slotsOf } from "../../src/bpf/assemble.js";
import { parse } from "../../src/lang/compile.js";
import { printTree } from "../../src/lang/print-tree.js";
import { goldenCases } from "../support/golden.js";
import { compileConstruct, construct } from "./constructs.js";
import { compileCase } from "./support.js";

describe("the compiler", () => {
  it("parses one-liners into trees and templates", () => {
    goldenCases("lang/trees.txt", (source) => {
      const { tree, template } = parse(source);
      const parts = (template ?? []).map((part) => `  ${JSON.stringify(part, withoutFalse)}\n`).join("");
      return `${printTree(tree)}${template === undefined ? "" : `template\n${parts}`}`;
    });
  });

  it("makes programs", () => {
    goldenCases("lang/programs.txt", (input) => {
      const probe = compileCase(input);
      const { ir, assembly } = probe.print();
      const fields = probe.event.fields.map(
        ({ name, offset, value }) => `${offset} ${name} ${JSON.stringify(value)}\n`,
      );
      const sizes = probe.programs.map(({ instructions, sleepable }) => {
        const slots = instructions.reduce((sum, instruction) => sum + slotsOf(instruction), 0);
        return `${slots} slots${sleepable ? ", sleepable" : ""}\n`;
      });
      return `event of ${probe.event.bytes} bytes\n${fields.join("")}\n${ir}\n${assembly}${sizes.join("")}`;
    });
  });

  it("makes programs of what no one-liner can say", () => {
    goldenCases("lang/constructs.txt", (name) => {
      const { tree, ir, assembly } = compileConstruct(construct(name)).print();
      return `${tree}\n${ir}\n${assembly}`;
    });
  });

  it("says what is wrong, where, and what to do", () => {
    goldenCases("lang/errors.txt", (input) => {
      try {
        compileCase(input);
      } catch (error) {
        expect(error).toBeInstanceOf(UscopeError);
        expect((error as UscopeError).kind).not.toBe("InternalError");
        return `${(error as UscopeError).kind}: ${(error as Error).message}`;
      }
      throw new Error(`no error for ${input}`);
    });
  });
});

function withoutFalse(_key: string, value: unknown): unknown {
  return value === false ? undefined : value;
}
