/**
 * How long the functions that a pattern means take: a histogram for each, when it is stopped.
 *
 *     uscope run -d 5 examples/latency-by-function.ts 'redis-server:*Command'
 */
import { histogram, observe, span } from "uscope";

export default async function* (pattern: string) {
  const times = histogram({ key: "function" });
  const calls = span(pattern, {
    exit: (p, { times }) => {
      times.add(p.function, p.durationNs);
    },
    using: { times },
  });
  const observation = observe(calls);
  await observation.ended;
  for (const { key, ...row } of await observation.read(times)) yield { function: key, ...row };
}
