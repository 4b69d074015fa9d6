/** Arms a probe on the program that it is told, from a worker thread, says so, and never ends. */
import { parentPort, workerData } from "node:worker_threads";
import { observe, uprobe } from "../../../../src/index.js";

const observation = observe(uprobe(`${String(workerData)}:step`, (p) => p.i64(0)));
await observation.armed;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
parentPort!.postMessage("armed");
for await (const _event of observation);
