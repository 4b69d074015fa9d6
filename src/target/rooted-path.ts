/**
 * Owns paths as a process sees them, followed inside its root folder as the kernel would follow them for it.
 * Does not own what stands at the end of a path.
 */
import { readlinkSync } from "node:fs";
import { NotFoundError } from "../base/errors.js";

/**
 * Follows symbolic links below `root` (`/proc/PID/root`, or empty for our own) so that an absolute link leads back to
 * that root and not to ours. Returns the path below the root; what does not exist is kept as it is.
 */
export function followBelow(root: string, path: string): string {
  const waiting = path.split("/").reverse();
  const done: string[] = [];
  for (let links = 0; waiting.length > 0;) {
    const part = waiting.pop()!;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      done.pop();
      continue;
    }
    const target = readLink(`${root}/${[...done, part].join("/")}`);
    if (target === undefined) {
      done.push(part);
      continue;
    }
    // Kernel: MAXSYMLINKS.
    if (++links > 40) {
      throw new NotFoundError({
        what: `${path} leads through more than 40 symbolic links`,
        at: `${root}/${[...done, part].join("/")}`,
        fix: "name the file itself",
      });
    }
    if (target.startsWith("/")) done.length = 0;
    waiting.push(...target.split("/").reverse());
  }
  return `/${done.join("/")}`;
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
