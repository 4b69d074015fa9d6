/* Functions that begin in different ways, each called by itself DEPTH times. The innermost tells on stderr who called it:
 *
 *   entries         lines "NAME DEPTH ADDRESS ADDRESS ...": where each call returns to, innermost first, down to main
 */
#include <stdint.h>
#include <stdio.h>

/* void NAME(int depth): one instruction that decides how the function begins, then an ordinary frame, then itself or tell(). */
#define FUNCTION(name, prologue) \
	void name(int depth); \
	__asm__(".text\n" \
	        ".globl " #name "\n" \
	        ".type " #name ", @function\n" #name ":\n" prologue \
	        "	test %edi, %edi\n" \
	        "	jz 1f\n" \
	        "	sub $1, %edi\n" \
	        "	call " #name "\n" \
	        "	pop %rbp\n" \
	        "	ret\n" \
	        "1:	call tell\n" \
	        "	pop %rbp\n" \
	        "	ret\n" \
	        ".size " #name ", . - " #name "\n")

FUNCTION(begins_with_push, "	push %rbp\n	mov %rsp, %rbp\n");
FUNCTION(begins_with_endbr64, "	endbr64\n	push %rbp\n	mov %rsp, %rbp\n");
FUNCTION(begins_with_test, "	test %edi, %edi\n	push %rbp\n	mov %rsp, %rbp\n");
FUNCTION(begins_with_sub, "	sub $8, %rsp\n	mov %rbp, (%rsp)\n	mov %rsp, %rbp\n");
FUNCTION(begins_with_nop5, "	.byte 0x0f, 0x1f, 0x44, 0, 0\n	push %rbp\n	mov %rsp, %rbp\n");

static const char *called;
static int calls;

/* Walks the frames: all of them, from here to main, are ordinary ones. */
__attribute__((noinline, used)) void tell(void)
{
	uintptr_t *frame = __builtin_frame_address(0);
	fprintf(stderr, "%s %d", called, calls);
	frame = (uintptr_t *)frame[0];
	for (int caller = 0; caller <= calls + 1; caller++) {
		fprintf(stderr, " 0x%lx", frame[1]);
		frame = (uintptr_t *)frame[0];
	}
	fprintf(stderr, "\n");
}

__attribute__((noinline)) static void call(void (*function)(int), const char *name, int depth)
{
	called = name;
	calls = depth;
	function(depth);
	__asm__ volatile("");
}

#define CALL(name) \
	for (int depth = 0; depth <= 3; depth++) \
	call(name, #name, depth)

int main(void)
{
	CALL(begins_with_push);
	CALL(begins_with_endbr64);
	CALL(begins_with_test);
	CALL(begins_with_sub);
	CALL(begins_with_nop5);
	return 0;
}
