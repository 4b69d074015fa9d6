/**
 * Watches the calls of one function of a process until it ends or Ctrl-C comes. As root:
 *
 *     node examples/observe.mjs 'redis-server:createStringObject "%.*s", arg2, arg1' "$(pgrep -n redis-server)"
 */
import { fault, observe, pidOf, readField, siteOf, timeOf } from "uscope";

const [probe = "", pid = ""] = process.argv.slice(2);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

const observation = await observe({ probes: [probe], pids: [Number(pid)] });
try {
  console.error(`armed: places ${observation.armed.places}, files ${observation.armed.files}`);
  const ending = await observation.run({
    signal: stop.signal,
    onEvent(record) {
      const site = observation.sites[siteOf(record)];
      if (site === undefined) return;
      const values = site.probe.event.fields.map(
        (field, index) => `${field.name}=${print(readField(record, field, index))}`,
      );
      console.log(`${timeOf(record)} ${pidOf(record)} ${site.label}: ${values.join(" ")}`);
    },
  });
  const [counted] = observation.counters();
  console.error(`${ending.kind}: hits ${counted?.hits}, lost ${counted?.lost}`);
} finally {
  await observation[Symbol.asyncDispose]();
}

/** @param {import("uscope").FieldValue} value */
function print(value) {
  if (value === fault) return "<fault>";
  if (typeof value === "object" && value !== null && "text" in value) return JSON.stringify(value.text);
  return String(value);
}
