/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tell the processor that this thread spins. */

#ifndef TESTS_CPU_RELAX_H
#define TESTS_CPU_RELAX_H

static inline void cpu_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif /* TESTS_CPU_RELAX_H */
