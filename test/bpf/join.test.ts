import { describe, expect, it } from "vitest";
import { assemble } from "../../src/bpf/assemble.js";
import { exit, loadConstant, loadMap } from "../../src/bpf/build.js";
import { joinPrograms, slotsOfProgram } from "../../src/bpf/join.js";
import type { ProgramSpec } from "../../src/bpf/spec.js";
import { interpret, Maps } from "../support/interpreter.js";
import { specs } from "./programs.js";

/** A program that answers its number; some take one slot more, so that distances differ. */
function program(number: number): ProgramSpec {
  const wide = number % 3 === 0 ? [loadMap(2, "counters")] : [];
  const assembly = assemble([...wide, loadConstant(0, BigInt(number)), exit()]);
  return { name: `p${number}`, license: "Dual BSD/GPL", sleepable: false, source: "", ...assembly };
}

describe("a joined program", () => {
  const programs = Array.from({ length: 7 }, (_, number) => program(number));
  const joined = joinPrograms(programs, 34);

  it("goes to the program that the cookie says, whatever else stands in it", () => {
    const answers = programs.flatMap((_, choice) =>
      [0n, 5n, (1n << 34n) - 1n].map((below) => {
        const cookie = (BigInt(choice) << 34n) | below;
        return Number(interpret(joined.instructions, { maps: new Maps(specs), cookie }).r0);
      }),
    );
    expect(answers).toEqual(programs.flatMap((_, choice) => [choice, choice, choice]));
  });

  it("holds each program once, and says of each instruction where it stands in the text", () => {
    const choice = 4 + 2 * programs.length - 1;
    const bodies = programs.reduce((sum, one) => sum + slotsOfProgram(one), 0);
    expect(slotsOfProgram(joined)).toBe(choice + bodies);
    expect(joined.places.length).toBe(joined.instructions.length);
  });
});
