/* Markers whose arguments are written by hand: every form of an operand at every width, over registers and memory of known
 * values. The notes are as sys/sdt.h writes them; it is included for the section .stapsdt.base that they refer to. */
#include <sys/sdt.h>

#define NOTE(name, arguments)                                                                     \
  "990: nop\n"                                                                                    \
  ".pushsection .note.stapsdt,\"\",\"note\"\n"                                                    \
  ".balign 4\n.4byte 992f-991f,994f-993f,3\n"                                                     \
  "991: .asciz \"stapsdt\"\n992: .balign 4\n"                                                     \
  "993: .8byte 990b,_.stapsdt.base,0\n"                                                           \
  ".asciz \"forms\"\n.asciz \"" name "\"\n.asciz \"" arguments "\"\n"                             \
  "994: .balign 4\n.popsection\n"

long table[4] __attribute__((used)) = {0x1122334455667788, -2, 0x00000000fffffffd, 0x7fffffffffffffff};
static const char text[] __attribute__((used)) = "text of a marker";

static void registers(void) {
  __asm__ volatile("movabs $0x8182838485868788, %%rax\n"
                   "movabs $0xf1f2f3f4f5f6f7f8, %%r10\n"
                   "movabs $0x0102030405060708, %%rsi\n" NOTE(
                       "parts", "1@%%al -1@%%al 1@%%ah -1@%%ah 2@%%ax -2@%%ax 4@%%eax -4@%%eax 8@%%rax -8@%%rax")
                       NOTE("numbered",
                            "1@%%r10b -1@%%r10b 2@%%r10w -2@%%r10w 4@%%r10d -4@%%r10d 8@%%r10 -8@%%r10 1@%%sil "
                            "4@%%esi 8@%%rsi")
                   :
                   :
                   : "rax", "r10", "rsi");
}

static void memory(void) {
  __asm__ volatile("lea table(%%rip), %%rbx\n"
                   "mov $2, %%ecx\n"
                   "lea table(%%rip), %%r11\n"
                   "shr $3, %%r11\n" NOTE("addresses",
                                          "8@(%%rbx) 4@(%%rbx) -4@4(%%rbx) 2@6(%%rbx) -1@(%%rbx) 8@8(%%rbx) "
                                          "8@(%%rbx,%%rcx,8) -4@(%%rbx,%%rcx,8) 8@-8(%%rbx,%%rcx,8) "
                                          "2@(%%rbx,%%rcx) 8@(,%%r11,8) 8@24(,%%r11,8) -8@-8(%%rbx,%%rcx,8)")
                       NOTE("symbols",
                            "8@table(%%rip) -8@table+8(%%rip) 4@16+table(%%rip) -4@table+16(%%rip) "
                            "1@table(%%rip) 8@$-1 4@$-1 -4@$-5 4@$0x10 -1@$-128 1@$255 -2@$-300 "
                            "-8@$-9223372036854775808 8@$18446744073709551615")
                   :
                   :
                   : "rbx", "rcx", "r11");
}

static void vectors(void) {
  __asm__ volatile("mov $7, %%edi\nmov $9, %%esi\n" NOTE("vectors", "-4@%%edi 8f@%%xmm0 4f@%%xmm1 8f@%%rax -4@%%esi")
                       NOTE("odd", "-4@%%edi 4@&what? -4@%%esi")
                   :
                   :
                   : "rdi", "rsi");
}

static void texts(void) {
  __asm__ volatile("lea text(%%rip), %%rdi\nmov $4, %%esi\n" NOTE("texts", "8@%%rdi -4@%%esi")
                   :
                   :
                   : "rdi", "rsi");
}

/* A number in memory that is not there. */
static void nowhere(void) {
  __asm__ volatile("xor %%edi, %%edi\n" NOTE("nowhere", "8@16(%%rdi) -4@$3") : : : "rdi");
}

int main(void) {
  STAP_PROBE(forms, begin);
  registers();
  memory();
  vectors();
  texts();
  nowhere();
  /* The forms that the compiler chooses. */
  STAP_PROBE12(forms, twelve, (char)-1, (unsigned char)200, (short)-2, (unsigned short)60000, -3, 4000000000u, -4L,
               table[0], table[1], &table[2], 11, 12L);
  return 0;
}
