/* A library that programs open while they run. */
__attribute__((noipa)) long plugged(long value) { return value * 2; }
