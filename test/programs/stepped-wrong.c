/*
 * Runs single instructions alone and under a uprobe of its own, and prints what each left behind: "HEX ALONE TRACED".
 * A line whose two results differ is an instruction at which the kernel breaks the program that it traces.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <link.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CASE(name, before, bytes, after)                                                                    \
  extern char name##_place[];                                                                               \
  __attribute__((noinline, naked)) static uint64_t name(uint64_t value) {                                   \
    __asm__ volatile(before ";.globl " #name "_place\n" #name "_place: .byte " bytes ";" after "; ret");     \
  }

/* vpshufd $0, %xmm1, %xmm0: opcode 70, taken for jo */
CASE(shuffle, "vmovd %edi, %xmm1; vpxor %xmm0, %xmm0, %xmm0", "0xc5,0xf9,0x70,0xc1,0x00", "vmovd %xmm0, %eax")
/* vpcmpeqd %xmm1, %xmm1, %xmm0: opcode 76, taken for jbe */
CASE(compare, "vmovd %edi, %xmm1; vpxor %xmm0, %xmm0, %xmm0", "0xc5,0xf1,0x76,0xc1", "vmovd %xmm0, %eax")
/* vmovaps %xmm1, %xmm0: opcode 28, fine */
CASE(move, "vmovd %edi, %xmm1; vpxor %xmm0, %xmm0, %xmm0", "0xc5,0xf8,0x28,0xc1", "vmovd %xmm0, %eax")
/* pshufd $0, %xmm1, %xmm0: opcode 0f 70, fine */
CASE(legacy_shuffle, "movd %edi, %xmm1; pxor %xmm0, %xmm0", "0x66,0x0f,0x70,0xc1,0x00", "movd %xmm0, %eax")
/* pushf: the saved flags hold the trap flag */
CASE(push_flags, "xor %eax, %eax", "0x9c", "pop %rax; and $0x100, %eax")
/* push %rdi: emulated, fine */
CASE(push_register, "xor %eax, %eax", "0x57", "pop %rax")
/* nop */
CASE(nothing, "mov %rdi, %rax", "0x90", "nop")
/* lea 1(%rdi), %rax: stepped, fine */
CASE(address, "xor %eax, %eax", "0x48,0x8d,0x47,0x01", "nop")
/* xchg %r8, %rax: taken for a nop by kernels before 6.19 */
CASE(exchange, "mov %rdi, %r8; xor %eax, %eax", "0x49,0x90", "nop")

static int arm(const char *place) {
  struct perf_event_attr attr;
  unsigned type = 0;
  FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "r");
  if (!file || fscanf(file, "%u", &type) != 1) return -1;
  fclose(file);
  const ElfW(Phdr) *header = (const ElfW(Phdr) *)getauxval(AT_PHDR);
  uintptr_t base = 0, offset = 0;
  for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++)
    if (header[i].p_type == PT_PHDR) base = (uintptr_t)header - header[i].p_vaddr;
  for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++) {
    uintptr_t within = (uintptr_t)place - base - header[i].p_vaddr;
    if (header[i].p_type == PT_LOAD && within < header[i].p_filesz) offset = header[i].p_offset + within;
  }
  memset(&attr, 0, sizeof attr);
  attr.size = sizeof attr;
  attr.type = type;
  attr.uprobe_path = (uintptr_t)"/proc/self/exe";
  attr.probe_offset = offset;
  return syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

#define RUN(name, hex)                                                         \
  do {                                                                         \
    uint32_t alone = name(7);                                                  \
    int probe = arm(name##_place);                                             \
    if (probe < 0) return perror(hex), 2;                                      \
    uint32_t traced = name(7);                                                 \
    close(probe);                                                              \
    printf("%s %x %x\n", hex, alone, traced);                                  \
  } while (0)

int main(void) {
  RUN(push_flags, "9c");
  RUN(push_register, "57");
  RUN(nothing, "90");
  RUN(address, "488d4701");
  RUN(exchange, "4990");
  RUN(legacy_shuffle, "660f70c100");
  if (!__builtin_cpu_supports("avx2")) return 0;
  RUN(shuffle, "c5f970c100");
  RUN(compare, "c5f176c1");
  RUN(move, "c5f828c1");
  return 0;
}
