/* One name in two versions; link with -shared and elf-versions.map as version script. */
__attribute__((noinline)) int answer_old(void) { return 41; }
__attribute__((noinline)) int answer_new(void) { return 42; }
__asm__(".symver answer_old, answer@USCOPE_1");
__asm__(".symver answer_new, answer@@USCOPE_2");
int without_version(void) { return answer_new(); }
int both_answers(void) { return answer_old() + answer_new(); }
