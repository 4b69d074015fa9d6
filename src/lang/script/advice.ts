/**
 * Owns the ways out that the passes tell, in the words of probe functions.
 * Does not own the problems; each stands where it is found.
 */
import type { Advice } from "../advice.js";

export const scriptAdvice: Advice = {
  printText: "return it as a value of the event",
  placeLiteral: "read text at an address: p.text(p.arg(0))",
  giveAddress: "give a bigint, as p.arg(0) or p.u64(0) is",
  cutName: "leave the options out: p.comm",
  giveLength: "give a number: p.text(p.arg(0), { length: p.arg(1) })",
  compareText(literal, other, wanted) {
    const text = literal === undefined ? '"text"' : JSON.stringify(literal);
    return `write ${other === "comm" ? "p.comm" : "p.text(address)"} ${wanted === "same" ? "===" : "!=="} ${text}`;
  },
  castToNumber: 'make it a number first: p.cast(x, "u64")',
  widen: 'widen the value first: p.cast(x, "u64")',
  sayPointee: 'say what lies there: p.read(p.arg(0), "i32")',
  stepInBytes: "count in bytes: p.arg(0) + 16n",
  watchReturn: "watch the return with uretprobe, or use a span",
  watchEntry:
    "use p.returned() at a return; to have arguments there use a span, whose first function keeps them",
  shortenKey: "declare fewer or shorter texts in the key",
  keepLess:
    "give the texts a smaller limit, p.text(p.arg(0), { limit: 32 }), or keep the address and read at the return",
  ownType: (index, { signed, bytes }) => {
    const name = `${signed ? "i" : "u"}${bytes * 8}`;
    return `write p.${name}(${index}), or declare it as "${name}"`;
  },
  argument: (index) => `p.arg(${index})`,
  register: (name) => `p.register("${name}")`,
};
