/** The samples of the guide, run as they stand there. */
import { expect, it } from "vitest";
import { asLike, openSamples } from "./support/samples.js";

it.each(["first-probe.md"])("docs/%s shows what uscope prints", (page) => {
  using folder = openSamples(page);
  expect(folder.samples.length).toBeGreaterThan(0);
  for (const sample of folder.samples) expect(asLike(folder.run(sample), sample)).toBe(sample.output);
});
