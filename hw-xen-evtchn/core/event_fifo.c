/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FIFO delivery: a word a port, linked into 16 queues a vCPU.
 *
 * Guest and hypervisor share an event word:
 *
 *   PENDING  the hypervisor sets it, the guest clears it when it handles the
 *            event;
 *   MASKED   the guest's; the hypervisor clears it for EVTCHNOP_unmask;
 *   LINKED   the hypervisor sets it with the queue locked, the guest clears it,
 *            together with LINK, when it takes the event off its queue;
 *   LINK     the next port on the queue; the hypervisor sets it in the tail's
 *            word;
 *   BUSY     the hypervisor's: while it is set the guest must not clear MASKED.
 *
 * In the control block the hypervisor sets HEAD, when a queue is empty, and the
 * bits of READY, which the guest clears.
 *
 * A guest may write anything at any time, and may lose its own events by that.
 * The hypervisor waits for no word of the guest, tries nothing more than a few
 * times, and follows no link.
 */

#include "delivery.h"
#include "fifo.h"

#define PENDING (UINT32_C(1) << EVTCHN_FIFO_PENDING)
#define MASKED  (UINT32_C(1) << EVTCHN_FIFO_MASKED)
#define LINKED  (UINT32_C(1) << EVTCHN_FIFO_LINKED)
#define BUSY    (UINT32_C(1) << EVTCHN_FIFO_BUSY)

/* The guest may change a linked word four times before it breaks the rules. */
#define SET_LINK_TRIES          4

/* @port's event word, or NULL while its page is missing. */
static inline uint32_t *event_word(struct evtchn_domain *d, uint32_t port)
{
    uint32_t *frame;

    /* 3-level's limit is higher, and its ports, closed, may still exist. */
    if (unlikely(port >= EVTCHN_FIFO_MAX_PORTS)) {
        return NULL;
    }
    /* Pairs with the store in evtchn_fifo_add_frame() (XSA-340). */
    frame = evtchn_load(&d->fifo->frame[port / WORDS_PER_FRAME]);
    return likely(frame) ? frame + port % WORDS_PER_FRAME : NULL;
}

/*
 * Append @port to the queue whose tail has @word, if that is still linked.  If
 * not, the queue is empty, and this returns false.
 *
 * In a linked word the guest may set and clear MASKED, clear PENDING, and clear
 * LINKED.  BUSY forbids it to clear MASKED, so that it can change the word at
 * most four times.  Most often the guest changes nothing, and BUSY costs two
 * more writes, so the first try does without.
 */
static bool set_link(uint32_t *word, uint32_t port)
{
    const uint32_t keep = ~(BUSY | (uint32_t)EVTCHN_FIFO_LINK_MASK);
    uint32_t w = evtchn_load(word);
    unsigned int try;

    if (!(w & LINKED)) {
        return false;
    }
    if (likely(evtchn_cmpxchg(word, &w, (w & keep) | port))) {
        return true;
    }
    if (!(w & LINKED)) {
        return false;
    }
    evtchn_fetch_or(word, BUSY);
    w = evtchn_load(word);
    for (try = 0; try < SET_LINK_TRIES && w & LINKED; try++) {
        if (evtchn_cmpxchg(word, &w, (w & keep) | port)) {
            return true;
        }
    }
    evtchn_fetch_and(word, ~BUSY);
    /* Out of tries: the guest breaks the rules, and loses this event. */
    return w & LINKED;
}

/*
 * Append @port to the queue of @priority, whose tail is @tail, of the vCPU with
 * @info and @control.  True: interrupt the vCPU.
 */
static inline bool append(struct evtchn_domain *d, uint8_t *info,
                          struct evtchn_fifo_control_block *control,
                          unsigned int priority, uint32_t tail, uint32_t port)
{
    /*
     * If @port itself is the tail, the guest has taken it off, and the queue is
     * empty: its word is linked only because the caller has just set LINKED.
     */
    if (tail && tail != port && set_link(event_word(d, tail), port)) {
        return false;
    }
    evtchn_store(&control->head[priority], port);
    return !evtchn_test_and_set_bit(&control->ready, priority) &&
           evtchn_mark_events_pending(info);
}

/*
 * Set PENDING, and LINKED if not masked; by one compare-exchange if the guest
 * does not change the word meanwhile.  True: the event has to be linked.
 */
static inline bool set_pending_and_linked(struct evtchn *chn, uint32_t *word,
                                          bool *newly_pending)
{
    /* Most often the guest has left 0, which a try finds out without a load. */
    uint32_t w = evtchn_load(&chn->look_first) ? evtchn_load(word) : 0;

    if (likely(!(w & (PENDING | MASKED | LINKED))) &&
        likely(evtchn_cmpxchg(word, &w, w | PENDING | LINKED))) {
        evtchn_look_next_time(&chn->look_first, false);
        *newly_pending = true;
        return true;
    }
    evtchn_look_next_time(&chn->look_first, true);
    *newly_pending = false;
    if (w & PENDING && w & (LINKED | MASKED)) {
        return false;
    }
    *newly_pending = !evtchn_test_and_set_bit(word, EVTCHN_FIFO_PENDING);
    return !evtchn_test_bit(word, EVTCHN_FIFO_MASKED) &&
           !evtchn_test_and_set_bit(word, EVTCHN_FIFO_LINKED);
}

/*
 * Set LINKED for an event that is pending already.  PENDING stays as it is: the
 * guest may just be taking the event, and would take it twice if PENDING were
 * set again.  A linked event that is not pending is one that the guest skips.
 */
static bool set_linked(uint32_t *word)
{
    uint32_t w = evtchn_load(word);

    return w & PENDING && !(w & MASKED) &&
           !evtchn_test_and_set_bit(word, EVTCHN_FIFO_LINKED);
}

/*
 * Do to @port's word what @why asks; true: the event has to be linked.  The
 * caller has locked the port's queue and the one that it was last put on.
 */
static bool change_word(struct evtchn_domain *d, uint32_t port,
                        struct evtchn *chn, struct evtchn_vcpu *v,
                        enum evtchn_why why, bool *newly_pending)
{
    uint32_t *word = event_word(d, port);
    uint8_t retry = chn->retry;
    bool raise = why == EVTCHN_NEW_EVENT ||
                 (why == EVTCHN_RETRY && retry & EVTCHN_RETRY_RAISE);

    if (why == EVTCHN_RETRY && !retry) {
        return false;
    }
    if (!word) {
        /* The event waits for EVTCHNOP_expand_array. */
        if (raise) {
            evtchn_store(&chn->retry, retry | EVTCHN_RETRY_RAISE);
        }
        return false;
    }
    if (why == EVTCHN_UNMASK) {
        evtchn_clear_bit(word, EVTCHN_FIFO_MASKED);
    }
    if (raise) {
        retry &= ~EVTCHN_RETRY_RAISE;
    }
    if (!evtchn_load(&v->control)) {
        /* PENDING waits for EVTCHNOP_init_control of the vCPU (XSA-107). */
        if (raise) {
            *newly_pending =
                !evtchn_test_and_set_bit(word, EVTCHN_FIFO_PENDING);
        }
        evtchn_store(&chn->retry, retry | EVTCHN_RETRY_LINK);
        return false;
    }
    evtchn_store(&chn->retry, retry & ~EVTCHN_RETRY_LINK);
    return raise ? set_pending_and_linked(chn, word, newly_pending)
                 : set_linked(word);
}

/*
 * The general case: the port was last put on another queue, which is locked as
 * well; or memory is missing; or it is no new event; or another sender has the
 * queue.
 */
static __attribute__((noinline)) bool
raise_slow(struct evtchn_domain *d, uint32_t port, struct evtchn *chn,
           struct evtchn_seen seen, enum evtchn_why why)
{
    unsigned int priority = binding_queue(seen.binding);
    uint32_t lastq = evtchn_load(&chn->lastq);
    struct evtchn_vcpu *v = &d->vcpus[binding_vcpu(seen.binding)];
    struct evtchn_queue *q = &v->queue[priority];
    struct evtchn_queue *old_q = &d->vcpus[evtchn_lastq_vcpu(lastq)]
                                      .queue[evtchn_lastq_priority(lastq)];
    bool newly_pending = false;
    bool upcall = false;
    uint32_t tail, old_tail;
    bool ok;

    evtchn_queue_lock_two(d->env, q, &tail, old_q, &old_tail);
    ok = evtchn_is_still(chn, seen) && chn->lastq == lastq;
    if (ok && change_word(d, port, chn, v, why, &newly_pending)) {
        /* The port was unlinked: if it is the old tail, that queue is empty. */
        if (old_q != q && old_tail == port) {
            old_tail = 0;
        }
        evtchn_store(&chn->lastq,
                     evtchn_lastq(binding_vcpu(seen.binding), priority));
        upcall = append(d, evtchn_load(&v->info), evtchn_load(&v->control),
                        priority, tail, port);
        tail = port;
    }
    if (old_q != q) {
        evtchn_queue_unlock(old_q, old_tail);
    }
    evtchn_queue_unlock(q, tail);
    evtchn_delivered(d, binding_vcpu(seen.binding), port, newly_pending,
                     upcall);
    return ok;
}

/*
 * In a storm of events a sender does no more than this look, and writes nothing
 * that senders share.  The guest clears LINKED, then PENDING, and only then
 * handles the event: while both are set it has yet to handle it.  While MASKED
 * and PENDING are set it has yet to unmask it, and sees PENDING then.
 */
static inline bool is_on_its_way(const uint32_t *word)
{
    uint32_t w = evtchn_load(word);

    if (!(w & PENDING && w & (LINKED | MASKED))) {
        return false;
    }
    /* The guest's handler must see what the sender wrote before this look. */
    evtchn_fence();
    w = evtchn_load(word);
    return w & PENDING && w & (LINKED | MASKED);
}

/*
 * The most frequent case, a new event while no other sender has the queue.  It
 * calls no function before its end, so that the compiler saves few registers on
 * the stack: each read-modify-write would have to wait for these writes.
 */
static bool raise_fifo(struct evtchn_domain *d, uint32_t port,
                       struct evtchn *chn, struct evtchn_seen seen,
                       enum evtchn_why why)
{
    unsigned int priority = binding_queue(seen.binding);
    uint32_t lastq = evtchn_lastq(binding_vcpu(seen.binding), priority);
    struct evtchn_vcpu *v = &d->vcpus[binding_vcpu(seen.binding)];
    struct evtchn_queue *q = &v->queue[priority];
    struct evtchn_fifo_control_block *control;
    bool newly_pending;
    bool upcall = false;
    uint32_t *word;
    uint8_t *info;
    uint32_t tail;

    if (unlikely(why != EVTCHN_NEW_EVENT)) {
        return raise_slow(d, port, chn, seen, why);
    }
    if (evtchn_load(&chn->look_first)) {
        word = event_word(d, port);
        if (word && is_on_its_way(word)) {
            return evtchn_is_still(chn, seen);
        }
    }
    /*
     * Lock the queue before PENDING is set: SCHEDOP_poll looks for PENDING with
     * the lock held, so a vCPU that it wakes finds the event linked.
     */
    if (unlikely(evtchn_load(&chn->lastq) != lastq) ||
        unlikely(!evtchn_queue_trylock(q, &tail))) {
        return raise_slow(d, port, chn, seen, why);
    }
    word = event_word(d, port);
    control = evtchn_load(&v->control);
    info = evtchn_load(&v->info);
    if (unlikely(!evtchn_is_still(chn, seen)) || unlikely(!word) ||
        unlikely(!control) ||
        unlikely(evtchn_load(&chn->lastq) != lastq)) {
        evtchn_queue_unlock(q, tail);
        return raise_slow(d, port, chn, seen, why);
    }
    if (likely(set_pending_and_linked(chn, word, &newly_pending))) {
        upcall = append(d, info, control, priority, tail, port);
        tail = port;
    }
    evtchn_queue_unlock(q, tail);
    evtchn_delivered(d, binding_vcpu(seen.binding), port, newly_pending,
                     upcall);
    return true;
}

static void clear_pending_fifo(struct evtchn_domain *d, uint32_t port)
{
    uint32_t *word = event_word(d, port);

    /* The guest unlinks the port, and skips it as it is not pending. */
    if (word && evtchn_test_bit(word, EVTCHN_FIFO_PENDING)) {
        evtchn_clear_bit(word, EVTCHN_FIFO_PENDING);
    }
}

static bool is_pending_fifo(struct evtchn_domain *d, uint32_t port)
{
    uint32_t *word = event_word(d, port);

    return word && evtchn_test_bit(word, EVTCHN_FIFO_PENDING);
}

static bool is_masked_fifo(struct evtchn_domain *d, uint32_t port)
{
    uint32_t *word = event_word(d, port);

    return !word || evtchn_test_bit(word, EVTCHN_FIFO_MASKED);
}

static void inspect_fifo(struct evtchn_domain *d, uint32_t port,
                         struct evtchn_port_info *info)
{
    uint32_t *word = event_word(d, port);
    uint32_t w = word ? evtchn_load(word) : 0;

    info->linked = w & LINKED;
    info->link = info->linked ? w & EVTCHN_FIFO_LINK_MASK : 0;
}

static void adopt_fifo(struct evtchn_domain *d, uint32_t port,
                       struct evtchn *chn)
{
    /* The array has no page yet, so the event cannot be raised now. */
    if (evtchn_abi_2l.is_pending(d, port)) {
        evtchn_abi_2l.clear_pending(d, port);
        evtchn_store(&chn->retry, EVTCHN_RETRY_RAISE);
    }
}

static uint32_t port_limit_fifo(const struct evtchn_domain *d)
{
    (void)d;
    return EVTCHN_FIFO_MAX_PORTS;
}

static bool is_busy_fifo(struct evtchn_domain *d, uint32_t port)
{
    uint32_t *word = event_word(d, port);

    return word && evtchn_test_bit(word, EVTCHN_FIFO_LINKED);
}

static bool has_event_fifo(struct evtchn_domain *d, struct evtchn_vcpu *v)
{
    (void)d;
    return v->control && evtchn_load(&v->control->ready);
}

static uint32_t registered_size_fifo(const struct evtchn_domain *d)
{
    (void)d;
    return sizeof(struct evtchn_fifo_control_block);
}

const struct evtchn_abi_ops evtchn_abi_fifo = {
    .raise           = raise_fifo,
    .clear_pending   = clear_pending_fifo,
    .is_pending      = is_pending_fifo,
    .is_masked       = is_masked_fifo,
    .inspect         = inspect_fifo,
    .adopt           = adopt_fifo,
    .port_limit      = port_limit_fifo,
    .is_busy         = is_busy_fifo,
    .has_event       = has_event_fifo,
    .load            = evtchn_fifo_load,
    .registered_size = registered_size_fifo,
    .leave           = evtchn_fifo_leave,
};
