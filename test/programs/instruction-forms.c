/*
 * Asks the running kernel about machine code: for each line "HEX [time]" on stdin it writes the bytes to a private file,
 * maps that file, arms a uprobe at the first byte for this process only and prints "HEX ERRNO NS": errno 0 when the
 * kernel took the probe, and the time of one traced call (of HEX followed by a return) when "time" was asked for, else 0.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SLOT = 64, SLOTS = 4096, CALLS = 400 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static int arm(uint32_t type, const char *path, uint64_t offset) {
  struct perf_event_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.size = sizeof attr;
  attr.type = type;
  attr.uprobe_path = (uint64_t)(uintptr_t)path;
  attr.probe_offset = offset;
  return syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

int main(void) {
  static unsigned char code[SLOT * SLOTS];
  static char line[256], text[SLOTS][128];
  static int wanted[SLOTS];
  int count = 0;
  memset(code, 0xcc, sizeof code);
  while (count < SLOTS && fgets(line, sizeof line, stdin)) {
    char hex[128] = "", flag[16] = "";
    if (sscanf(line, "%127s %15s", hex, flag) < 1) continue;
    unsigned char *slot = code + count * SLOT;
    int length = strlen(hex) / 2;
    for (int i = 0; i < length && i < SLOT - 1; i++) sscanf(hex + 2 * i, "%2hhx", slot + i);
    slot[length] = 0xc3;
    wanted[count] = !strcmp(flag, "time");
    strcpy(text[count++], hex);
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  FILE *typefile = fopen("/sys/bus/event_source/devices/uprobe/type", "r");
  unsigned type;
  if (!typefile || fscanf(typefile, "%u", &type) != 1) return fprintf(stderr, "no uprobe PMU\n"), 2;
  char path[] = "/tmp/uscope-forms-XXXXXX";
  int fd = mkostemp(path, O_CLOEXEC);
  if (fd < 0 || write(fd, code, sizeof code) != sizeof code) return perror("write"), 2;
  unsigned char *map = mmap(NULL, sizeof code, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
  if (map == MAP_FAILED) return perror("mmap"), 2;
  for (int i = 0; i < count; i++) {
    int probe = arm(type, path, i * SLOT);
    int error = probe < 0 ? errno : 0;
    double ns = 0;
    if (probe >= 0 && wanted[i]) {
      void (*call)(void) = (void (*)(void))(map + i * SLOT);
      double best = 1e18;
      for (int round = 0; round < 3; round++) {
        double start = now();
        for (int n = 0; n < CALLS; n++) call();
        double spent = (now() - start) / CALLS;
        if (spent < best) best = spent;
      }
      ns = best;
    }
    if (probe >= 0) close(probe);
    printf("%s %d %.0f\n", text[i], error, ns);
  }
  unlink(path);
  return 0;
}
