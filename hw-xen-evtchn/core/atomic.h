/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every access that the model makes to memory shared with other threads or
 * with a guest.
 *
 * Guest memory is plain memory to its owner, so these work on plain objects of
 * 1, 2, 4 or 8 bytes.  Read-modify-writes are sequentially consistent: the
 * ABIs rest on "set my bit, then look at yours" from both sides, and on x86
 * they cost nothing more.  Loads acquire and stores release.
 *
 * EVTCHN_ATOMIC_STEP(kind, ptr) comes before each access.  A test build defines
 * it to interleave threads or to count; @kind is one of the letters below.
 */

#ifndef XEN_EVTCHN_ATOMIC_H
#define XEN_EVTCHN_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#define EVTCHN_STEP_LOAD    'l'
#define EVTCHN_STEP_STORE   's'
#define EVTCHN_STEP_RMW     'x'
#define EVTCHN_STEP_FENCE   'f'

#ifndef EVTCHN_ATOMIC_STEP
#define EVTCHN_ATOMIC_STEP(kind, ptr) ((void)(ptr))
#endif

#define evtchn_load(ptr)                                        \
    (__extension__({                                            \
        EVTCHN_ATOMIC_STEP(EVTCHN_STEP_LOAD, ptr);              \
        __atomic_load_n(ptr, __ATOMIC_SEQ_CST);                 \
    }))

#define evtchn_store(ptr, value)                                \
    (__extension__({                                            \
        __typeof__(*(ptr)) value_ = (value);                    \
        EVTCHN_ATOMIC_STEP(EVTCHN_STEP_STORE, ptr);             \
        __atomic_store_n(ptr, value_, __ATOMIC_RELEASE);        \
    }))

/*
 * What was written before it is seen before what is read after it.  Compilers
 * lock what is on top of the stack, which a return or a spilled value then has
 * to wait for; below it, as Linux does, nothing does.
 */
static inline void evtchn_fence(void)
{
    EVTCHN_ATOMIC_STEP(EVTCHN_STEP_FENCE, (const char *)"");
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
    __asm__ __volatile__("lock addl $0, -64(%%rsp)" : : : "memory", "cc");
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* The following return the old value. */
#define evtchn_fetch_or(ptr, bits)                              \
    (__extension__({                                            \
        EVTCHN_ATOMIC_STEP(EVTCHN_STEP_RMW, ptr);               \
        __atomic_fetch_or(ptr, bits, __ATOMIC_SEQ_CST);         \
    }))

#define evtchn_fetch_and(ptr, bits)                             \
    (__extension__({                                            \
        EVTCHN_ATOMIC_STEP(EVTCHN_STEP_RMW, ptr);               \
        __atomic_fetch_and(ptr, bits, __ATOMIC_SEQ_CST);        \
    }))

#define evtchn_fetch_add(ptr, addend)                           \
    (__extension__({                                            \
        EVTCHN_ATOMIC_STEP(EVTCHN_STEP_RMW, ptr);               \
        __atomic_fetch_add(ptr, addend, __ATOMIC_SEQ_CST);      \
    }))

#define evtchn_exchange(ptr, value)                             \
    (__extension__({                                            \
        __typeof__(*(ptr)) value_ = (value);                    \
        EVTCHN_ATOMIC_STEP(EVTCHN_STEP_RMW, ptr);               \
        __atomic_exchange_n(ptr, value_, __ATOMIC_SEQ_CST);     \
    }))

/* True when *@ptr was *@expected; else *@expected becomes what it was. */
#define evtchn_cmpxchg(ptr, expected, desired)                  \
    (__extension__({                                            \
        __typeof__(*(ptr)) desired_ = (desired);                \
        EVTCHN_ATOMIC_STEP(EVTCHN_STEP_RMW, ptr);               \
        __atomic_compare_exchange_n(ptr, expected, desired_,    \
                                    false, __ATOMIC_SEQ_CST,    \
                                    __ATOMIC_SEQ_CST);          \
    }))

/* Bit @bit of the 32-bit word at @word, in the same way. */
static inline bool evtchn_test_bit(const uint32_t *word, unsigned int bit)
{
    return evtchn_load(word) & (UINT32_C(1) << bit);
}

static inline bool evtchn_test_and_set_bit(uint32_t *word, unsigned int bit)
{
    return evtchn_fetch_or(word, UINT32_C(1) << bit) & (UINT32_C(1) << bit);
}

static inline bool evtchn_test_and_clear_bit(uint32_t *word, unsigned int bit)
{
    return evtchn_fetch_and(word, ~(UINT32_C(1) << bit)) & (UINT32_C(1) << bit);
}

static inline void evtchn_clear_bit(uint32_t *word, unsigned int bit)
{
    evtchn_fetch_and(word, ~(UINT32_C(1) << bit));
}

#endif /* XEN_EVTCHN_ATOMIC_H */
