// Makes processes in every way that its input says, each of which calls work(); answers each line when they have ended.
//   family work MS CALLS     is what exec leads to: sleeps, then calls
//   loop COUNT CALLS         one child after the other
//   as PID CALLS             a child that has this process id
//   orphan MS CALLS          a daemon: its parent has ended and its session is its own before it sleeps, then calls
//   keep MS CALLS            answers at once: a grandchild that calls after MS, whose parent ends after half of it
//   exec MS CALLS            an orphan that becomes another program
//   threads MS CALLS         an orphan whose first thread ends long before the other one calls
//   thread MS CALLS          answers at once: a thread of this process that calls after MS, and ends
//   replace MS CALLS         an orphan that becomes another program by exec in its second thread
#define _GNU_SOURCE
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *self;
static long pause_ms, calls;

__attribute__((noinline, noclone, noipa)) long work(long round) { __asm__ volatile("" : "+r"(round)); return round; }

static void sleep_ms(long ms) { usleep((useconds_t)ms * 1000); }
static void run(void) { for (long round = 0; round < calls; round++) work(round); }

static void become(void)
{
	char ms[24], count[24];
	snprintf(ms, sizeof ms, "%ld", pause_ms);
	snprintf(count, sizeof count, "%ld", calls);
	execl(self, self, "work", ms, count, (char *)NULL);
	_exit(127);
}

static void *late_work(void *unused) { sleep_ms(pause_ms); run(); _exit(0); return unused; }
static void *only_work(void *unused) { sleep_ms(pause_ms); run(); return unused; }
static void *late_exec(void *unused) { become(); return unused; }

static pid_t fork_as(pid_t wanted)
{
	struct clone_args args = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&wanted, .set_tid_size = 1 };
	return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

// Waits until nobody holds the other end of the pipe: all that come from the child have ended.
static void wait_all(pid_t child, int ends[2])
{
	char byte;
	close(ends[1]);
	if (read(ends[0], &byte, 1) < 0) perror("read");
	close(ends[0]);
	waitpid(child, NULL, 0);
}

int main(int count, char **words)
{
	char name[16];
	long number;
	self = words[0];
	if (count == 4) {
		pause_ms = atol(words[2]);
		calls = atol(words[3]);
		sleep_ms(pause_ms);
		run();
		return 0;
	}
	setvbuf(stdout, NULL, _IONBF, 0);
	printf("ready\n");
	while (scanf("%15s %ld %ld", name, &number, &calls) == 3) {
		pid_t child = 0;
		pause_ms = number;
		if (strcmp(name, "loop") == 0) {
			for (long round = 0; round < number; round++) {
				child = fork();
				if (child == 0) { run(); _exit(0); }
				waitpid(child, NULL, 0);
			}
		} else if (strcmp(name, "as") == 0) {
			child = fork_as((pid_t)number);
			if (child == 0) { run(); _exit(0); }
			if (child < 0) perror("clone3");
			waitpid(child, NULL, 0);
		} else if (strcmp(name, "thread") == 0) {
			pthread_t thread;
			pthread_create(&thread, NULL, only_work, NULL);
		} else if (strcmp(name, "keep") == 0) {
			if (fork() == 0) {
				if (fork() == 0) { sleep_ms(pause_ms); run(); _exit(0); }
				sleep_ms(pause_ms / 2);
				_exit(0);
			}
		} else {
			int ends[2];
			if (pipe(ends) != 0) return 1;
			child = fork();
			if (child == 0) {
				pthread_t thread;
				if (fork() > 0) _exit(0);
				setsid();
				if (name[0] == 'e') become();
				if (name[0] == 'o') { sleep_ms(pause_ms); run(); _exit(0); }
				pthread_create(&thread, NULL, name[0] == 't' ? late_work : late_exec, NULL);
				if (name[0] == 't') pthread_exit(NULL);
				for (;;) pause();
			}
			wait_all(child, ends);
		}
		printf("done %d\n", child);
	}
	return 0;
}
