/** Owns what JavaScript calls of the module. */
export { workingRoom } from "./demangle/pieces";
export { demangle, demangleSuffix, writtenEnd } from "./demangle/symbols";
export {
  begin,
  filter,
  lineCount,
  named,
  next,
  taken,
  textLength,
  textStart,
  wantedSymbol,
  wantedTable,
} from "./list/list";
export { addTable } from "./list/tables";
export { reserve } from "./memory";
