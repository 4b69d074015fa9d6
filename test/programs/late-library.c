// A library, and with -DPROGRAM a program: late_work() passes the marker late:worked with its argument, plus VERSION times 1000.
// With -DNARROW the marker's argument has 16 bits; else 32. With -DMANY the marker has 300 more places, each with its argument in
// another place.
#include <stdlib.h>
#include <sys/sdt.h>

#ifndef VERSION
#define VERSION 0
#endif

__attribute__((noinline, noclone)) int late_work(int value)
{
#ifdef NARROW
	short shown = (short)(value + VERSION * 1000);
#else
	int shown = value + VERSION * 1000;
#endif
	DTRACE_PROBE1(late, worked, shown);
	return shown;
}

#ifdef MANY
// Spec: a note of sys/sdt.h, https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation
__asm__(".altmacro\n"
	".macro place number\n"
	"990: nop\n"
	".pushsection .note.stapsdt,\"\",\"note\"\n"
	".balign 4\n"
	".4byte 992f-991f,994f-993f,3\n"
	"991: .asciz \"stapsdt\"\n"
	"992: .balign 4\n"
	"993: .8byte 990b,_.stapsdt.base,0\n"
	".asciz \"late\"\n"
	".asciz \"worked\"\n"
	".asciz \"-4@\\number(%rsp)\"\n"
	"994: .balign 4\n"
	".popsection\n"
	".endm\n"
	".text\n"
	".set which, 0\n"
	".rept 300\n"
	"place %which\n"
	".set which, which+4\n"
	".endr\n"
	"ret\n"
	".noaltmacro\n");
#endif

#ifdef PROGRAM
#include <unistd.h>
int main(int count, char **words)
{
	int calls = count > 1 ? atoi(words[1]) : 1;
	for (int round = 0; round < calls; round++) {
		late_work(round);
		if (calls > 1) usleep(1000);
	}
	return 0;
}
#endif
