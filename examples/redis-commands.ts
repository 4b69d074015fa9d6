/**
 * Every word that the clients of a redis-server send, as it comes.
 *
 *     uscope run examples/redis-commands.ts "$(pgrep -n redis-server)"
 */
import { observe, uprobe } from "uscope";

const strings = uprobe("redis-server:createStringObject", (p) => ({
  pid: p.pid,
  text: p.text(p.arg(0), { length: p.arg(1) }),
}));

export default (pid?: string) => observe(strings, pid === undefined ? {} : { pids: [Number(pid)] });
