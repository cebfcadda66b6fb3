/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What 2-level and 3-level have in common: a pending and a mask bit a port. */

#include "internal.h"
#include "evtchn_bits.h"

#define WORD(port) ((port) / WORD_BITS)
#define BIT(port) ((xen_ulong_t)1 << ((port) % WORD_BITS))

static unsigned int next_port[MAX_VCPUS];

bool event_bit_is_set(const xen_ulong_t *words, evtchn_port_t port)
{
    return __atomic_load_n(&words[WORD(port)], __ATOMIC_SEQ_CST) & BIT(port);
}

void event_bit_set(xen_ulong_t *words, evtchn_port_t port)
{
    __atomic_fetch_or(&words[WORD(port)], BIT(port), __ATOMIC_SEQ_CST);
}

bool event_bit_test_and_clear(xen_ulong_t *words, evtchn_port_t port)
{
    return __atomic_fetch_and(&words[WORD(port)], ~BIT(port),
                              __ATOMIC_SEQ_CST) &
           BIT(port);
}

/* The ports of one word whose bits are in @allowed. */
static unsigned int scan_word(const struct event_bits *bits, unsigned int vcpu,
                              unsigned int word, xen_ulong_t allowed)
{
    xen_ulong_t active =
        __atomic_load_n(&bits->pending[word], __ATOMIC_SEQ_CST) &
        ~__atomic_load_n(&bits->mask[word], __ATOMIC_SEQ_CST) & allowed;
    unsigned int taken = 0;

    for (; active; active &= active - 1) {
        evtchn_port_t port = word * WORD_BITS + __builtin_ctzl(active);

        /*
         * The word has ports of other vCPUs, too, and a nested upcall may have
         * taken the event.
         */
        if (evtchn_is_taken_here(port) &&
            event_bit_test_and_clear(bits->pending, port)) {
            next_port[vcpu] = (port + 1) % bits->nr_ports;
            evtchn_count(port);
            taken++;
        }
    }
    return taken;
}

unsigned int event_bits_scan(const struct event_bits *bits, unsigned int vcpu,
                             const xen_ulong_t *selected)
{
    unsigned int nr_words = bits->nr_ports / WORD_BITS;
    unsigned int start = next_port[vcpu], taken = 0, i;
    xen_ulong_t from = ~(xen_ulong_t)0 << (start % WORD_BITS);

    /* Once around: the first word's upper part first, its lower part last. */
    for (i = 0; i <= nr_words; i++) {
        unsigned int word = (WORD(start) + i) % nr_words;

        if (!selected[WORD(word)]) {
            /* No bit in this word of the selector: go on at the next one. */
            i += WORD_BITS - 1 - word % WORD_BITS;
        } else if (event_bit_is_set(selected, word)) {
            taken += scan_word(bits, vcpu, word,
                               i == 0        ? from :
                               i == nr_words ? ~from :
                                               ~(xen_ulong_t)0);
        }
    }
    return taken;
}

void event_bits_forget(void)
{
    memset(next_port, 0, sizeof(next_port));
}
