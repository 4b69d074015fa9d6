import { defineConfig } from "vitest/config";

// Files run one after another: tests that attach to real programs share two cores and one kernel.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/fresh-wasm.ts"],
    setupFiles: [],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    pool: "forks",
  },
});
