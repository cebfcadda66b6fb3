/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every access that the model makes to memory shared with other threads or
 * with a guest.
 *
 * Guest memory is plain memory to its owner, so these work on plain objects of
 * 1, 2, 4 or 8 bytes.
 *
 * The ABIs rest on this: guest and hypervisor each set a bit of their own, and
 * then look at the other's, so that at least one of them sees the other's bit.
 * Hence all accesses are sequentially consistent, with one exception: on x86
 * such a store would cost as much as a read-modify-write, so it is a plain
 * store, and the processor may do a later load before it.  The model has to
 * keep one rule for that:
 *
 *   Between a store and a load of something else that must not be done before
 *   it there is a read-modify-write or evtchn_fence().
 *
 * A store after a read-modify-write needs nothing: others see it later.
 *
 * What compilers make of these accesses, and why that is enough:
 *   x86      A locked instruction is a full barrier.  All else is plain moves,
 *            of which the processor reorders only loads with earlier stores.
 *   arm64    ldar, stlr, and ldaxr with stlxr or one "al" instruction for both.
 *            ldar waits for an earlier stlr; ldapr, which a compiler may take
 *            for an acquire load, does not.
 *   riscv64  A full fence before each load, a lighter one before each store, or
 *            "aqrl" for both.
 *   ppc64le  sync before each access.  lwsync, enough to acquire and release,
 *            neither keeps a load behind an earlier store, nor makes all
 *            processors agree on the order of stores to different places.
 * tests/core/check-barriers checks this.
 *
 * EVTCHN_ATOMIC_STEP(kind, ptr) comes before each access.  Test builds define
 * it to interleave threads or to count; @kind is one of the letters below.
 */

#ifndef XEN_EVTCHN_ATOMIC_H
#define XEN_EVTCHN_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#define EVTCHN_STEP_LOAD    'l'
#define EVTCHN_STEP_STORE   's'
#define EVTCHN_STEP_RMW     'x'
#define EVTCHN_STEP_FENCE   'f'     /* of no memory: @ptr is null */

#ifndef EVTCHN_ATOMIC_STEP
#define EVTCHN_ATOMIC_STEP(kind, ptr) ((void)(ptr))
#endif

#if defined(__x86_64__) || defined(__i386__)
#define EVTCHN_STORE_ORDER __ATOMIC_RELEASE
#else
#define EVTCHN_STORE_ORDER __ATOMIC_SEQ_CST
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
        __atomic_store_n(ptr, value_, EVTCHN_STORE_ORDER);      \
    }))

/*
 * If two threads each store, then call this, then load what the other stores,
 * at least one sees the other's store.  gcc's own fence is a locked instruction
 * on the top of the stack, and a return address or a spilled value there then
 * has to wait for it; nothing is read below the top.
 */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_THREAD__)
#define EVTCHN_FENCE() \
    __asm__ __volatile__("lock addl $0, -64(%%rsp)" : : : "memory", "cc")
#else
#define EVTCHN_FENCE() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

#define evtchn_fence()                                          \
    (__extension__({                                            \
        EVTCHN_ATOMIC_STEP(EVTCHN_STEP_FENCE,                   \
                           (const uint8_t *)0);                 \
        EVTCHN_FENCE();                                         \
    }))

/*
 * The next load of *@ptr is most often followed by a store to it: fetch the
 * cache line for both.  Else a processor that uses the line as well has to give
 * it away twice.  Every 64-bit x86 processor takes this instruction, if only as
 * one that does nothing; gcc uses it only where it is told so.
 */
#if defined(__x86_64__) && defined(__GNUC__)
#define evtchn_prefetch_for_store(ptr) \
    __asm__ __volatile__("prefetchw %0" : : "m" (*(ptr)))
#else
#define evtchn_prefetch_for_store(ptr) __builtin_prefetch(ptr, 1)
#endif

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
