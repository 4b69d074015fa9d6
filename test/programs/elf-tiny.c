/* As few bytes as a program can have and still show every table: link with -nostdlib -static or -shared. */
int helper(int value) { return value + 1; }
void _start(void) {
  helper(1);
  for (;;) {
  }
}
