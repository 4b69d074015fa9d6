/**
 * Owns the ways out that the passes tell, in the words of one-liners.
 * Does not own the problems; each stands where it is found.
 */
import type { Advice } from "../advice.js";

export const onelinerAdvice: Advice = {
  printText: "print text with %s",
  placeLiteral: "write it into the format",
  giveAddress: "give a pointer or a 64-bit value; print whole numbers with %d",
  cutName: "write %s, or %.10s to cut it",
  giveLength: "write the length first, then the address: %.*s, length, address",
  compareText(literal, other, wanted) {
    const call = `STRCMP(${literal === undefined ? '"text"' : JSON.stringify(literal)}, ${other ?? "pointer"})`;
    return `write ${wanted === "same" ? "" : "!"}${call}`;
  },
  castToNumber: "cast it to a number first: (u64)p",
  widen: "widen the value first: (u64)x",
  sayPointee: "say what lies there: *(int *)arg1, ((char *)arg1)[3], *(long *)((char *)arg1 + 8)",
  stepInBytes: "count in bytes: (char *)p + 16",
  watchReturn: "watch the return with r: in front, as in r:LIBRARY:FUNCTION",
  watchEntry: "use retval at a return, or watch the entry with p:",
  shortenKey: "use fewer or shorter texts",
  keepLess: "keep fewer or shorter texts",
  ownType: (index) => `write arg${index + 1}, which has its own type`,
  argument: (index) => `arg${index + 1}`,
  register: (name) => `ctx->${name}`,
};

/** The same for distributions, which have types in front of their values and a filter behind them. */
export const distributionAdvice: Advice = {
  ...onelinerAdvice,
  printText: "give it the type char * and count it with -C",
  placeLiteral: "write a constant text into the label, behind #",
  giveAddress: "give a pointer or a 64-bit value; whole numbers have a type such as int",
  cutName: "leave the length out",
  watchReturn: "watch the return with r: in front, as in r:LIBRARY:FUNCTION()",
  watchEntry: "write $entry(NAME) for a parameter as it was at the entry, or watch the entry with p:",
  shortenKey: "give texts fewer bytes with -z, or leave a value out",
};
