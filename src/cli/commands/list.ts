/** Owns the command line of `uscope list`. Does not own listing (tools/list.ts). */
import { UsageError } from "../../base/errors.js";
import { list } from "../../tools/list.js";
import type { Command } from "../command.js";

export const command: Command = {
  name: "list",
  usage: "[OPTIONS] TARGET [PATTERN ...]\n       uscope list -p PID [TARGET [PATTERN ...]]",
  purpose: [
    "Lists the functions of TARGET (a path, a command on PATH, or a library such as c or libssl.so.3) by address: size, binding, kind and name.",
    "PATTERN is a glob over names, linked or demangled ('ssl_*', '*::push_back'). Names from a debug file under /usr/lib/debug count as well.",
    "With -p, TARGET is looked up in what the process has mapped; without TARGET the mapped files themselves are listed.",
  ].join("\n"),
  options: [
    { name: "pid", letter: "p", value: "PID", help: "look at what this process has mapped" },
    { name: "mangled", letter: "m", help: "show names as the linker knows them" },
    { name: "json", help: "print one JSON object a line, with both names" },
  ],
  examples: [
    ["uscope list redis-server 'create*'", "functions whose name begins so"],
    ["uscope list stdc++ '*basic_string*::reserve*'", "C++ names as people write them"],
    ["uscope list -p 1234", "the files that process 1234 has mapped"],
    ["uscope list -p 1234 c 'malloc*'", "functions of the libc that process 1234 really runs"],
  ],
  notes:
    "KIND is function, ifunc (a resolver: the dynamic loader calls it once and uses what it returns), or alias (the address of the line above).",
  async run(parsed) {
    const [target, ...patterns] = parsed.arguments;
    const pid = parsed.number("pid", 1);
    if (target === undefined && pid === undefined) {
      throw new UsageError({
        what: "nothing to list",
        at: "uscope list",
        fix: "uscope list redis-server, or uscope list -p PID",
      });
    }
    return list({ target, patterns, pid, json: parsed.has("json"), mangled: parsed.has("mangled") });
  },
};
