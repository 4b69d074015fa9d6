/**
 * Calls of a function that took longer than so many microseconds, with what they were called with and what they returned.
 *
 *     uscope run examples/slow-calls.ts redis-server:call 100
 */
import { observe, span } from "uscope";

export default (target: string, microseconds = "1000") => {
  const limit = Number(microseconds) * 1000;
  const slow = span(target, {
    entry: (p) => ({ first: p.arg(0), second: p.arg(1) }),
    exit: (p, { limit }) => {
      if (p.durationNs < limit) return;
      return {
        pid: p.pid,
        comm: p.comm,
        ns: p.durationNs,
        first: p.entry.first,
        second: p.entry.second,
        returned: p.returned(),
      };
    },
    using: { limit },
  });
  return observe(slow);
};
