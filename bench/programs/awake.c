/*
 * Keeps the core that it runs on awake: runs when nothing else wants to, does nothing, and touches no memory.
 *
 *     awake          until it is ended; says so on standard output once it gives way to everybody.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>

int main(void)
{
    struct sched_param none = {0};
    if (sched_setscheduler(0, SCHED_IDLE, &none)) {
        perror("sched_setscheduler");
        return 1;
    }
    puts("awake");
    fflush(stdout);
    for (;;) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#else
        __asm__ volatile("" ::: "memory");
#endif
    }
}
