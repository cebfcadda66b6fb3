/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FIFO event channels, the guest's side. */

#include "internal.h"
#include "fifo.h"

/* Pages are kept, to be used again when the guest next switches to FIFO. */
static void *array_pages[FIFO_MAX_PAGES], *control_pages[MAX_VCPUS];

static event_word_t *array[FIFO_MAX_PAGES];
static unsigned int nr_array_pages;
static struct evtchn_fifo_control_block *control[MAX_VCPUS];
static uint32_t queue_head[MAX_VCPUS][EVTCHN_FIFO_MAX_QUEUES];

event_word_t *fifo_event_word(evtchn_port_t port)
{
    event_word_t *page = port < EVTCHN_FIFO_NR_CHANNELS ?
                             array[port / FIFO_WORDS_PER_PAGE] :
                             NULL;

    return page ? &page[port % FIFO_WORDS_PER_PAGE] : NULL;
}

struct evtchn_fifo_control_block *fifo_control_block(unsigned int vcpu)
{
    return control[vcpu];
}

static event_word_t read_word(evtchn_port_t port)
{
    event_word_t *word = fifo_event_word(port);

    return word ? __atomic_load_n(word, __ATOMIC_SEQ_CST) : 0;
}

static bool is_pending(evtchn_port_t port)
{
    return read_word(port) & FIFO_PENDING;
}

static bool is_masked(evtchn_port_t port)
{
    return read_word(port) & FIFO_MASKED;
}

static void set_pending(evtchn_port_t port)
{
    __atomic_fetch_or(fifo_event_word(port), FIFO_PENDING, __ATOMIC_SEQ_CST);
}

static void clear_pending(evtchn_port_t port)
{
    __atomic_fetch_and(fifo_event_word(port), ~FIFO_PENDING, __ATOMIC_SEQ_CST);
}

static void mask(evtchn_port_t port)
{
    __atomic_fetch_or(fifo_event_word(port), FIFO_MASKED, __ATOMIC_SEQ_CST);
}

/* MASKED must not be cleared while BUSY is set, as Xen then writes the link. */
static bool clear_mask(evtchn_port_t port)
{
    event_word_t *word = fifo_event_word(port);
    event_word_t old = __atomic_load_n(word, __ATOMIC_SEQ_CST);

    do {
        if (!(old & FIFO_MASKED)) {
            return false;
        }
        old &= ~FIFO_BUSY;
    } while (!__atomic_compare_exchange_n(word, &old, old & ~FIFO_MASKED, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    return old & FIFO_PENDING;
}

/* Clear LINK and LINKED in one step: after it Xen may link the event again. */
static uint32_t unlink_event(event_word_t *word)
{
    event_word_t old = __atomic_load_n(word, __ATOMIC_SEQ_CST);

    while (!__atomic_compare_exchange_n(
        word, &old, old & ~(FIFO_LINKED | FIFO_LINK_MASK), false,
        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
    return old & FIFO_LINK_MASK;
}

/* Take the first event of a queue.  Returns whether the queue has more. */
static bool take_first(unsigned int vcpu, unsigned int priority,
                       unsigned int *taken)
{
    uint32_t *head = &queue_head[vcpu][priority];
    event_word_t *word;
    uint32_t port = *head;

    if (!port) {
        port =
            __atomic_load_n(&control[vcpu]->head[priority], __ATOMIC_SEQ_CST);
    }
    word = fifo_event_word(port);
    if (!port || !word) {
        crash("vCPU %u: priority %u is ready and its head is port %u", vcpu,
              priority, port);
    }
    *head = unlink_event(word);
    if (!(__atomic_load_n(word, __ATOMIC_SEQ_CST) & FIFO_MASKED) &&
        __atomic_fetch_and(word, ~FIFO_PENDING, __ATOMIC_SEQ_CST) &
            FIFO_PENDING) {
        evtchn_count(port);
        (*taken)++;
    }
    return *head != 0;
}

/* Take events from the most urgent queue that is ready, looking after each. */
static unsigned int scan(unsigned int vcpu)
{
    unsigned int taken = 0;
    uint32_t ready;

    if (!control[vcpu]) {
        return 0;
    }
    ready = __atomic_exchange_n(&control[vcpu]->ready, 0, __ATOMIC_SEQ_CST);
    while (ready) {
        unsigned int priority = __builtin_ctz(ready);

        if (!take_first(vcpu, priority, &taken)) {
            ready &= ~(1u << priority);
        }
        ready |=
            __atomic_exchange_n(&control[vcpu]->ready, 0, __ATOMIC_SEQ_CST);
    }
    return taken;
}

static unsigned int nr_ports(void)
{
    return EVTCHN_FIFO_NR_CHANNELS;
}

static unsigned int backed_ports(void)
{
    return nr_array_pages * FIFO_WORDS_PER_PAGE;
}

static void *kept_page(void **page)
{
    if (!*page) {
        *page = page_keep();
    }
    return memset(*page, 0, PAGE_SIZE);
}

static int grow(unsigned int nr)
{
    while (backed_ports() < nr) {
        event_word_t *page;
        unsigned int i;
        int error;

        if (nr_array_pages == FIFO_MAX_PAGES) {
            return -XEN_ENOSPC;
        }
        page = kept_page(&array_pages[nr_array_pages]);
        for (i = 0; i < FIFO_WORDS_PER_PAGE; i++) {
            page[i] = FIFO_MASKED;
        }
        /* Set first: the call may raise pending ports of this page at once. */
        array[nr_array_pages] = page;
        error = evtchn_expand_array(gfn_of(page));
        if (error) {
            array[nr_array_pages] = NULL;
            return error;
        }
        nr_array_pages++;
    }
    return 0;
}

static int init(void)
{
    unsigned int vcpu;

    for (vcpu = 0; vcpu < nr_vcpus; vcpu++) {
        int error;

        control[vcpu] = kept_page(&control_pages[vcpu]);
        error = evtchn_init_control(gfn_of(control[vcpu]), 0, vcpu);
        if (error) {
            control[vcpu] = NULL;
            return error;
        }
    }
    return grow(1);
}

static void forget(void)
{
    memset(array, 0, sizeof(array));
    memset(control, 0, sizeof(control));
    memset(queue_head, 0, sizeof(queue_head));
    nr_array_pages = 0;
}

const struct evtchn_abi_ops evtchn_fifo_ops = {
    .name = "fifo",
    .is_pending = is_pending,
    .is_masked = is_masked,
    .set_pending = set_pending,
    .clear_pending = clear_pending,
    .mask = mask,
    .clear_mask = clear_mask,
    .scan = scan,
    .nr_ports = nr_ports,
    .backed_ports = backed_ports,
    .grow = grow,
    .init = init,
    .forget = forget,
};
