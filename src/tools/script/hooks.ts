/**
 * Owns how modules of a script are found and read: "uscope" is this very uscope, TypeScript loses its types.
 * Does not own when this begins (loader.ts). Older versions of Node run these functions in a thread of their own.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { stripTypes } from "./types.js";

interface ResolveContext {
  readonly parentURL?: string | undefined;
}

interface LoadContext {
  readonly format?: string | null | undefined;
}

interface Loaded {
  readonly format: string;
  readonly source: string;
  readonly shortCircuit: true;
}

/** The event of the process when the script and all that it imports is loaded, and begins. */
export const begins = "uscope:begins";

/** The module that imports a script, and says before it that it begins: modules run in the order of their imports. */
export function doorTo(script: string): string {
  return `uscope:door?${encodeURIComponent(script)}`;
}

/** The URL of the package.json of this uscope. */
let home = "";

export function initialize(data: { readonly home: string }): void {
  home = data.home;
}

/** The same for both kinds of hooks: `next` answers at once or promises to. */
export function resolve<Result>(
  specifier: string,
  context: ResolveContext,
  next: (specifier: string, context: ResolveContext) => Result,
): Result | { readonly url: string; readonly shortCircuit: true } {
  if (specifier.startsWith("uscope:")) return { url: specifier, shortCircuit: true };
  // Spec: a package may import itself by its name, by its own "exports": so it is found from wherever the script lies.
  if (specifier === "uscope" || specifier.startsWith("uscope/"))
    return next(specifier, { ...context, parentURL: home });
  return next(typeScriptOf(specifier, context) ?? specifier, context);
}

export function load<Result>(
  url: string,
  context: LoadContext,
  next: (url: string, context: LoadContext) => Result,
): Result | Loaded {
  if (url.startsWith("uscope:")) return { format: "module", source: sourceOf(url), shortCircuit: true };
  const ending = /^file:.*\.(ts|mts|js)(?:$|[?#])/.exec(url)?.[1];
  if (ending === undefined || url.startsWith(new URL("dist/", home).href)) return next(url, context);
  if (ending !== "js")
    return { format: "module", source: stripTypes(readSource(url), url, home), shortCircuit: true };
  // Why: elsewhere than in packages, what a .js file is should not hang on a package.json that its author may not have.
  if (url.includes("/node_modules/") || context.format === "module") return next(url, context);
  const source = readSource(url);
  return isModule(source) ? { format: "module", source, shortCircuit: true } : next(url, context);
}

/** The text of a module that is in no file. */
function sourceOf(url: string): string {
  if (url === begins) return `process.emit("${begins}");`;
  const script = decodeURIComponent(url.slice(url.indexOf("?") + 1));
  return `import "${begins}"; import * as script from ${JSON.stringify(script)}; export { script };`;
}

/** In TypeScript, "./other.js" means other.ts where that is the file that there is. */
function typeScriptOf(specifier: string, { parentURL }: ResolveContext): string | undefined {
  if (!/^\.\.?\/.*\.m?js$/.test(specifier) || !/\.m?ts(?:$|[?#])/.test(parentURL ?? "")) return undefined;
  const wanted = new URL(specifier, parentURL);
  const other = specifier.replace(/js$/, "ts");
  return !existsSync(wanted) && existsSync(new URL(other, parentURL)) ? other : undefined;
}

function readSource(url: string): string {
  return readFileSync(fileURLToPath(url), "utf8");
}

/** Says whether a line begins as only an import or export declaration can. */
function isModule(source: string): boolean {
  return /^\s*(?:import\s*(?:["'{*]|[\w$]+\s*(?:,|from\b))|export\s*(?:default\b|[{*]|const\b|let\b|var\b|function\b|class\b|async\b))/m.test(
    source,
  );
}
