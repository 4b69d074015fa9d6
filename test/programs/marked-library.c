/* A library with a marker; several are made of it, with a VALUE each, and some with a PROVIDER of their own. */
#include <sys/sdt.h>
#ifndef VALUE
#define VALUE 1
#endif
#ifndef PROVIDER
#define PROVIDER shelf
#endif
#define MARKER(provider, ...) STAP_PROBE2(provider, __VA_ARGS__)
__attribute__((noipa)) void pass(long round) { MARKER(PROVIDER, taken, round, VALUE); }
