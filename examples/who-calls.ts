/**
 * Who calls a function: each call with its user stack.
 *
 *     uscope run --max 3 examples/who-calls.ts redis-server:dictResize
 */
import { observe, uprobe } from "uscope";

export default (target: string) =>
  observe(uprobe(target, (p) => ({ pid: p.pid, comm: p.comm, function: p.function, stack: p.stack() })));
