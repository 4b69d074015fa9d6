// contain ROOT PROGRAM: runs the program as the first process of a pid namespace, with ROOT as its root folder and no other mount.
// Prints "inside PID", as it is seen from outside.
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int enter(const char *root)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return -1;
	if (mount(root, root, NULL, MS_BIND, NULL)) return -1;
	if (chdir(root)) return -1;
	if (syscall(SYS_pivot_root, ".", ".")) return -1;
	return umount2(".", MNT_DETACH);
}

int main(int count, char **words)
{
	int gate[2];
	char byte = 0;
	if (count != 3 || pipe(gate) || unshare(CLONE_NEWNS | CLONE_NEWPID)) return 1;
	pid_t child = fork();
	if (child == 0) {
		if (read(gate[0], &byte, 1) != 1 || enter(words[1])) return 1;
		execl(words[2], words[2], (char *)NULL);
		return 1;
	}
	printf("inside %d\n", child);
	fflush(stdout);
	if (write(gate[1], &byte, 1) != 1) return 1;
	waitpid(child, NULL, 0);
	return 0;
}
