/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gives the guest of tests/guest, unchanged, the arena's memory, the explorer's
 * idea of a spin-wait, and assertions that are findings: the program is linked
 * with -Wl,--wrap for each of these.
 */

#include <glib.h>

#include "explore.h"

void *__wrap_calloc(size_t n, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *ptr);
gpointer __wrap_g_malloc0(gsize size);
gpointer __wrap_g_malloc0_n(gsize n, gsize size);
void __wrap_g_free(gpointer ptr);
void __wrap_g_free_sized(gpointer ptr, size_t size);
int __wrap_sched_yield(void);
void __wrap_g_assertion_message_expr(const char *domain, const char *file,
                                     int line, const char *func,
                                     const char *expr);
void __wrap_g_assertion_message_cmpnum(const char *domain, const char *file,
                                       int line, const char *func,
                                       const char *expr, long double a,
                                       const char *cmp, long double b,
                                       char type);
void __wrap_g_assertion_message(const char *domain, const char *file, int line,
                                const char *func, const char *message);

void *__wrap_calloc(size_t n, size_t size)
{
    return il_alloc(n * size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return il_alloc(size);
}

void __wrap_free(void *ptr)
{
    if (ptr) {
        il_free(ptr);
    }
}

gpointer __wrap_g_malloc0(gsize size)
{
    return il_alloc(size);
}

gpointer __wrap_g_malloc0_n(gsize n, gsize size)
{
    return il_alloc(n * size);
}

void __wrap_g_free(gpointer ptr)
{
    __wrap_free(ptr);
}

void __wrap_g_free_sized(gpointer ptr, size_t size)
{
    __wrap_free(ptr);
}

int __wrap_sched_yield(void)
{
    il_yield_cpu();
    return 0;
}

/* These do not return to their caller: il_fail() ends the path. */
void __wrap_g_assertion_message_expr(const char *domain, const char *file,
                                     int line, const char *func,
                                     const char *expr)
{
    il_fail("%s:%d: assertion failed: %s", func, line, expr ? expr : "");
}

void __wrap_g_assertion_message_cmpnum(const char *domain, const char *file,
                                       int line, const char *func,
                                       const char *expr, long double a,
                                       const char *cmp, long double b,
                                       char type)
{
    il_fail("%s:%d: assertion failed: %s (%.0Lf %s %.0Lf)", func, line, expr, a,
            cmp, b);
}

void __wrap_g_assertion_message(const char *domain, const char *file, int line,
                                const char *func, const char *message)
{
    il_fail("%s:%d: %s", func, line, message);
}
