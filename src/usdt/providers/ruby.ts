/** Owns the markers of Ruby (MRI), 2.0 and later. Source: probes.d. */
export const ruby = String.raw`
c?method__(entry|return) class:text method:text file:text line
(find__)?require__(entry|return) feature:text file:text line
load__(entry|return) loaded:text file:text line
raise class:text file:text line
object__create class:text file:text line
(array|hash|string)__create size file:text line
symbol__create symbol:text file:text line
parse__(begin|end) source:text line
method__cache__clear class:text file:text line
insn instruction:text
insn__operand operand:text instruction:text
gc__(mark|sweep)__(begin|end)
`;
