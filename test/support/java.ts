/** Owns Java programs of test/programs, compiled by the compiler inside Debian's Java runtime, and where its markers are. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, mkdirSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { executablePath } from "./elf.js";

const folder = fileURLToPath(new URL("../programs/", import.meta.url));

/** Compiles test/programs/NAME.java and returns the folder for `java -cp`. */
export function compileJava(name: string): string {
  const source = join(folder, `${name}.java`);
  const output = join(folder, "out", name);
  const product = join(output, `${name}.class`);
  if (!existsSync(product) || statSync(product).mtimeMs < statSync(source).mtimeMs) {
    mkdirSync(join(folder, "out"), { recursive: true });
    const building = mkdtempSync(join(folder, "out", `${name}-`));
    // Why not javac: it is another package; the runtime has all modules.
    const compiler = ["-m", "jdk.compiler/com.sun.tools.javac.Main"];
    execFileSync("java", [...compiler, "-d", building, source], { stdio: ["ignore", "pipe", "pipe"] });
    rmSync(output, { recursive: true, force: true });
    renameSync(building, output);
  }
  return output;
}

/** The library of the Java machine that `java` on PATH runs. */
export function findLibjvm(): string {
  return realpathSync(join(realpathSync(executablePath("java")), "../../lib/server/libjvm.so"));
}
