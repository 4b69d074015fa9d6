import { EventEmitter, once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { Pace } from "../../src/tools/pace.js";

test("what comes in one turn of the event loop is written together, at its end", async () => {
  const written: number[] = [];
  let came = 0;
  const pace = new Pace(async () => void written.push(came));
  for (; came < 3; came++) expect(pace.next()).toBeUndefined();
  expect(written).toEqual([]);
  await turn();
  expect(written).toEqual([3]);
});

test("what leaves the event loop no turn is given one in time", async () => {
  let writes = 0;
  let turns = 0;
  const pace = new Pace(async () => void writes++);
  const counting = setInterval(() => turns++, 1);
  for (const end = performance.now() + 100; performance.now() < end;) await pace.next();
  clearInterval(counting);
  expect(writes).toBeGreaterThanOrEqual(2);
  expect(turns).toBeGreaterThanOrEqual(2);
});

test("who brings more waits for a reader that has not taken what came before", async () => {
  const reader = new EventEmitter();
  const pace = new Pace(async () => void (await once(reader, "taken")));
  void pace.next();
  await turn();
  const waiting = pace.next();
  expect(waiting).toBeInstanceOf(Promise);
  reader.emit("taken");
  await waiting;
});

test("what cannot be written is said at the next value and at the end", async () => {
  const pace = new Pace(() => Promise.reject(new Error("full")));
  void pace.next();
  await turn();
  await expect(pace.next()).rejects.toThrow("full");
  await expect(pace.flush()).rejects.toThrow("full");
});
