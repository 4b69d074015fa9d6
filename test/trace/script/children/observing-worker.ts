/** Observes three calls of the program that it is told, from a worker thread, and posts what came. */
import { parentPort, workerData } from "node:worker_threads";
import { observe, uprobe } from "../../../../src/index.js";

const command = [String(workerData), "keys", "3"];
const events: bigint[] = [];
for await (const event of observe(
  uprobe(`${String(workerData)}:step`, (p) => p.i64(0)),
  { command },
))
  events.push(event);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
parentPort!.postMessage(events);
