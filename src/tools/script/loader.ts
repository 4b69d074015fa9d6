/**
 * Owns loading a script into this process, with its types and with this uscope as its "uscope".
 * Does not own what the script gives (tools/run.ts).
 */
import module from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { doorTo, initialize, load, resolve } from "./hooks.js";

export { begins } from "./hooks.js";

/** Since Node 22.15; @types/node of the oldest version that is supported does not know it. */
interface NewerModule {
  registerHooks?(hooks: { readonly resolve: typeof resolve; readonly load: typeof load }): unknown;
}

/** Imports the script at a path; resolves when its top level has run. The process has the event `begins` before that. */
export async function loadScript(path: string): Promise<Readonly<Record<string, unknown>>> {
  const data = { home: packageFile() };
  const { registerHooks } = module as NewerModule;
  if (registerHooks === undefined) {
    // Why where there is a choice not this: the thread takes 30 ms to start.
    module.register(new URL("dist/script-hooks.js", data.home).href, { data });
  } else {
    initialize(data);
    registerHooks({ resolve, load });
  }
  const { script } = (await import(doorTo(pathToFileURL(path).href))) as { script: Record<string, unknown> };
  return script;
}

/** The URL of the package.json of this uscope. */
export function packageFile(): string {
  return pathToFileURL(join(import.meta.dirname, "../../package.json")).href;
}
