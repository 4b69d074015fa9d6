/** Owns the markers of CPython, 3.6 and later. Source: Include/pydtrace.d, and "Instrumenting CPython with DTrace and SystemTap". */
export const python = String.raw`
function__(entry|return) file:text function:text line
line file:text function:text line
gc__start generation
gc__done collected
import__find__load__start module:text
import__find__load__done module:text found:bool
audit event:text arguments:hex
`;
