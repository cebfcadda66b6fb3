/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Xen console: a ring in a page that is shared with the back end. */

#include "console.h"
#include "internal.h"

static struct xencons_interface *console;
static evtchn_port_t port;
static bool lost;
static int lock;

void console_init(void)
{
    console = arch_console(&port);
}

void console_lost(void)
{
    lost = true;
}

bool console_is_lost(void)
{
    return lost;
}

static void notify(void)
{
    /* Ignore errors: a test may have closed the console's port. */
    if (!lost) {
        evtchn_send(port);
    }
}

/* Waits for the back end; gives up if it does not read the ring. */
static bool ring_is_full(void)
{
    uint64_t until = 0;

    while (console->out_prod -
               __atomic_load_n(&console->out_cons, __ATOMIC_ACQUIRE) ==
           sizeof(console->out)) {
        notify();
        if (lost) {
            return true;
        }
        sched_yield();
        if (!until) {
            until = system_time() + 10000000000ull;
        } else if (system_time() > until) {
            lost = true;
        }
    }
    return false;
}

void console_write(const char *text, size_t length)
{
    bool upcalls = upcalls_enabled();
    size_t i;

    if (!console) {
        return;
    }
    /* An upcall's handler may print, too, and would wait for the lock. */
    upcalls_disable();
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE)) {
        cpu_relax();
    }
    for (i = 0; i < length && !ring_is_full(); i++) {
        XENCONS_RING_IDX at = console->out_prod;

        console->out[MASK_XENCONS_IDX(at, console->out)] = text[i];
        __atomic_store_n(&console->out_prod, at + 1, __ATOMIC_SEQ_CST);
    }
    notify();
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
    if (upcalls) {
        upcalls_enable();
    }
}

size_t console_read(char *text, size_t size)
{
    XENCONS_RING_IDX end =
        __atomic_load_n(&console->in_prod, __ATOMIC_ACQUIRE);
    XENCONS_RING_IDX at = console->in_cons;
    size_t length = 0;

    while (length < size && at != end) {
        text[length++] = console->in[MASK_XENCONS_IDX(at++, console->in)];
    }
    if (length) {
        __atomic_store_n(&console->in_cons, at, __ATOMIC_SEQ_CST);
        notify();
    }
    return length;
}

evtchn_port_t console_port(void)
{
    return port;
}

void console_flush(void)
{
    uint64_t until = system_time() + 5000000000ull;

    while (!lost && system_time() < until &&
           __atomic_load_n(&console->out_cons, __ATOMIC_ACQUIRE) !=
               console->out_prod) {
        sched_yield();
    }
}
