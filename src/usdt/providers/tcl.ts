/** Owns the markers of Tcl, built with --enable-dtrace. Source: generic/tclDTrace.d. */
const nine = Array.from({ length: 9 }, (_, index) => `value${index + 1}:text`).join(" ");

export const tcl = String.raw`
(proc|cmd)__entry name:text count objects:hex
(proc|cmd)__return name:text code
(proc|cmd)__result name:text code result:text object:hex
(proc|cmd)__args name:text ${nine}
(proc|cmd)__info command:text type:text proc:text file:text line level method:text class:text
inst__(start|done) name:text depth stack:hex
obj__(create|free) object:hex
tcl__probe ${nine} value10:text
`;
