/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FIFO delivery: a word a port, linked into 16 queues a vCPU.
 *
 * An event word belongs to guest and hypervisor:
 *
 *   PENDING  we set it, the guest clears it when it handles the event;
 *   MASKED   the guest's; we clear it for EVTCHNOP_unmask;
 *   LINKED   we set it with the queue locked, the guest clears it, together
 *            with LINK, when it takes the event off its queue;
 *   LINK     the next port on the queue; we set it in the tail's word;
 *   BUSY     ours: while it is set the guest must not clear MASKED.
 *
 * In the control block HEAD is ours to set, in an empty queue, and READY's
 * bits are ours to set and the guest's to clear.
 *
 * A guest may write anything at any time; what it breaks is its own.  Nothing
 * here waits for it, tries anything more than a few times, or follows a link.
 */

#include "model.h"

#define PENDING (UINT32_C(1) << EVTCHN_FIFO_PENDING)
#define MASKED  (UINT32_C(1) << EVTCHN_FIFO_MASKED)
#define LINKED  (UINT32_C(1) << EVTCHN_FIFO_LINKED)
#define BUSY    (UINT32_C(1) << EVTCHN_FIFO_BUSY)

/* The guest may change a linked word four times before it breaks the rules. */
#define SET_LINK_TRIES          4

uint32_t *evtchn_fifo_word(struct evtchn_domain *d, uint32_t port)
{
    struct fifo_array *array = d->fifo;

    /* Pairs with the store in evtchn_expand_array() (XSA-340). */
    if (unlikely(port / WORDS_PER_FRAME >= evtchn_load(&array->nr_frames))) {
        return NULL;
    }
    return array->frame[port / WORDS_PER_FRAME] + port % WORDS_PER_FRAME;
}

static struct fifo_queue *queue_of(struct evtchn_domain *d, uint32_t lastq)
{
    return &d->vcpus[evtchn_lastq_vcpu(lastq)]
                .queue[evtchn_lastq_priority(lastq)];
}

/*
 * Lock the queue @lastq that @chn is to be put on, and also the one that it was
 * on last, which is returned: it may be the same.  If not we are the only one
 * who moves the port, until set_lastq().
 */
static struct fifo_queue *lock_queues(struct evtchn_domain *d,
                                      struct evtchn *chn, uint32_t lastq)
{
    struct fifo_queue *q = queue_of(d, lastq);
    unsigned int spins = 0;

    for (;;) {
        uint32_t now = evtchn_load(&chn->lastq);

        if (likely(now == lastq)) {
            evtchn_spin_lock(d->env, &q->lock);
            if (likely(evtchn_load(&chn->lastq) == lastq)) {
                return q;
            }
            evtchn_spin_unlock(&q->lock);
        } else if (!(now & LASTQ_MOVING) &&
                   evtchn_cmpxchg(&chn->lastq, &now, now | LASTQ_MOVING)) {
            struct fifo_queue *old_q = queue_of(d, now);

            evtchn_spin_lock(d->env, old_q < q ? &old_q->lock : &q->lock);
            evtchn_spin_lock(d->env, old_q < q ? &q->lock : &old_q->lock);
            return old_q;
        }
        d->env->relax(spins++);
    }
}

static void unlock_queues(struct evtchn *chn, struct fifo_queue *q,
                          struct fifo_queue *old_q)
{
    if (old_q != q) {
        /* It stays where it was. */
        evtchn_store(&chn->lastq, evtchn_load(&chn->lastq) & ~LASTQ_MOVING);
        evtchn_spin_unlock(&old_q->lock);
    }
    evtchn_spin_unlock(&q->lock);
}

/*
 * Append @port to the queue whose tail has @word, if that is still linked; if
 * not the queue is empty.
 *
 * Of a linked word the guest may set and clear MASKED, clear PENDING, and clear
 * LINKED.  BUSY forbids clearing MASKED, so that the rest can happen at most
 * four times.  Most often nothing happens, and BUSY costs two more writes, so
 * the first try goes without.
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
    /* Out of tries: the guest breaks the rules, and has lost this event. */
    return w & LINKED;
}

/* Append @port to @q, prio @priority of @v; true when an upcall is due. */
static bool append(struct evtchn_domain *d, struct evtchn_vcpu *v,
                   struct fifo_queue *q, unsigned int priority, uint32_t port)
{
    bool linked = false;

    /*
     * If @port itself is the tail the guest has taken it off, and the queue is
     * empty; the tail only seems linked as we just made it so.  The caller has
     * cleared the tail then.
     */
    if (q->tail) {
        linked = set_link(evtchn_fifo_word(d, q->tail), port);
    }
    q->tail = port;
    if (linked) {
        return false;
    }
    evtchn_store(&v->control->head[priority], port);
    return !evtchn_test_and_set_bit(&v->control->ready, priority) &&
           evtchn_mark_events_pending(v);
}

/*
 * Set PENDING, and LINKED if not masked, both at once if nobody interferes.
 * True when the event has to be linked.
 */
static bool set_pending_and_linked(uint32_t *word, bool *newly_pending)
{
    uint32_t w = evtchn_load(word);

    if (likely(!(w & (PENDING | MASKED | LINKED))) &&
        likely(evtchn_cmpxchg(word, &w, w | PENDING | LINKED))) {
        *newly_pending = true;
        return true;
    }
    *newly_pending = !evtchn_test_and_set_bit(word, EVTCHN_FIFO_PENDING);
    return !evtchn_test_bit(word, EVTCHN_FIFO_MASKED) &&
           !evtchn_test_and_set_bit(word, EVTCHN_FIFO_LINKED);
}

/*
 * The same for an event that is pending already: PENDING stays as it is.  The
 * guest may be handling the event just now, and setting PENDING again would
 * make two of one; a linked event that is not pending is skipped.
 */
static bool set_linked(uint32_t *word)
{
    uint32_t w = evtchn_load(word);

    return w & PENDING && !(w & MASKED) &&
           !evtchn_test_and_set_bit(word, EVTCHN_FIFO_LINKED);
}

/* Raise a new event, or, if not @fresh, link one that is still pending. */
static void raise_fifo(struct evtchn_domain *d, uint32_t port,
                       struct evtchn *chn, bool fresh)
{
    uint32_t vcpu = evtchn_load(&chn->vcpu);
    unsigned int priority = evtchn_load(&chn->priority);
    uint32_t lastq = evtchn_lastq(vcpu, priority);
    struct evtchn_vcpu *v = &d->vcpus[vcpu];
    struct fifo_queue *q = queue_of(d, lastq);
    struct fifo_queue *old_q;
    uint32_t *word = evtchn_fifo_word(d, port);
    bool newly_pending = false;
    bool upcall = false;
    uint32_t w;

    if (unlikely(!word)) {
        /*
         * It waits for evtchn_expand_array(), which looks at chn->pending once
         * the page is there.  If that was just now, either of us takes the
         * event back, and not both.
         */
        evtchn_fetch_or(&chn->pending, EVTCHN_RETRY_RAISE);
        word = evtchn_fifo_word(d, port);
        if (!word || !(evtchn_fetch_and(&chn->pending, ~EVTCHN_RETRY_RAISE) &
                       EVTCHN_RETRY_RAISE)) {
            return;
        }
    }
    /*
     * A storm costs no more than this look: the guest clears LINKED, then
     * PENDING, and only then handles the event, so it has yet to come to ours;
     * or it will unmask, and see PENDING then.  The port lock's barrier lies
     * between what the sender wrote and this.
     */
    w = evtchn_load(word);
    if (w & PENDING && w & (LINKED | MASKED)) {
        return;
    }
    /*
     * All that follows has the queue locked: PENDING must not be seen before
     * the event is on its way to the queue by whoever is woken for it.
     */
    old_q = lock_queues(d, chn, lastq);
    if (unlikely(!v->control)) {
        /*
         * The event waits for evtchn_init_control(), which sets v->control
         * with our lock held and looks at chn->pending after that (XSA-107).
         */
        newly_pending = fresh &&
                        !evtchn_test_and_set_bit(word, EVTCHN_FIFO_PENDING);
        evtchn_fetch_or(&chn->pending, EVTCHN_RETRY_LINK);
    } else if (fresh ? set_pending_and_linked(word, &newly_pending) :
                       set_linked(word)) {
        /* It was unlinked: if it was the old tail, that queue is empty. */
        if (old_q->tail == port) {
            old_q->tail = 0;
        }
        if (old_q != q) {
            evtchn_store(&chn->lastq, lastq);
            evtchn_spin_unlock(&old_q->lock);
            old_q = q;
        }
        upcall = append(d, v, q, priority, port);
    }
    unlock_queues(chn, q, old_q);
    if (upcall) {
        evtchn_raise_upcall(d, v);
    }
    if (newly_pending) {
        evtchn_check_pollers(d, port);
    }
}

static void set_pending_fifo(struct evtchn_domain *d, uint32_t port,
                             struct evtchn *chn)
{
    raise_fifo(d, port, chn, true);
}

static void link_fifo(struct evtchn_domain *d, uint32_t port,
                      struct evtchn *chn)
{
    raise_fifo(d, port, chn, false);
}

static void clear_pending_fifo(struct evtchn_domain *d, uint32_t port,
                               struct evtchn *chn)
{
    uint32_t *word = evtchn_fifo_word(d, port);

    (void)chn;
    /* The guest unlinks the port, and skips it as it is not pending. */
    if (word) {
        evtchn_clear_bit(word, EVTCHN_FIFO_PENDING);
    }
}

static void unmask_fifo(struct evtchn_domain *d, uint32_t port,
                        struct evtchn *chn)
{
    uint32_t *word = evtchn_fifo_word(d, port);

    if (!word) {
        return;
    }
    evtchn_clear_bit(word, EVTCHN_FIFO_MASKED);
    if (evtchn_test_bit(word, EVTCHN_FIFO_PENDING)) {
        link_fifo(d, port, chn);
    }
}

static bool is_pending_fifo(struct evtchn_domain *d, uint32_t port,
                            struct evtchn *chn)
{
    uint32_t *word = evtchn_fifo_word(d, port);

    (void)chn;
    return word && evtchn_test_bit(word, EVTCHN_FIFO_PENDING);
}

static bool is_masked_fifo(struct evtchn_domain *d, uint32_t port,
                           struct evtchn *chn)
{
    uint32_t *word = evtchn_fifo_word(d, port);

    (void)chn;
    return !word || evtchn_test_bit(word, EVTCHN_FIFO_MASKED);
}

static bool is_busy_fifo(struct evtchn_domain *d, uint32_t port)
{
    uint32_t *word = evtchn_fifo_word(d, port);

    return word && evtchn_test_bit(word, EVTCHN_FIFO_LINKED);
}

static void init_fifo(struct evtchn *chn)
{
    evtchn_store(&chn->priority, EVTCHN_FIFO_PRIORITY_DEFAULT);
}

static void adopt_fifo(struct evtchn_domain *d, uint32_t port,
                       struct evtchn *chn)
{
    /* The array is empty yet. */
    if (evtchn_2l_take_pending(d, port)) {
        evtchn_store(&chn->pending, EVTCHN_RETRY_RAISE);
    }
}

static int set_priority_fifo(struct evtchn *chn, uint32_t priority)
{
    if (priority > EVTCHN_FIFO_PRIORITY_MIN) {
        return -XEN_EINVAL;
    }
    /* For events to come; one that is linked stays where it is. */
    evtchn_store(&chn->priority, priority);
    return 0;
}

static void inspect_fifo(struct evtchn_domain *d, uint32_t port,
                         struct evtchn *chn, struct evtchn_port_info *info)
{
    uint32_t *word = evtchn_fifo_word(d, port);
    uint32_t w = word ? evtchn_load(word) : 0;

    (void)chn;
    info->linked = w & LINKED;
    info->link = info->linked ? w & EVTCHN_FIFO_LINK_MASK : 0;
}

const struct evtchn_port_ops evtchn_ops_fifo = {
    .set_pending   = set_pending_fifo,
    .clear_pending = clear_pending_fifo,
    .unmask        = unmask_fifo,
    .link          = link_fifo,
    .is_pending    = is_pending_fifo,
    .is_masked     = is_masked_fifo,
    .is_busy       = is_busy_fifo,
    .adopt         = adopt_fifo,
    .init          = init_fifo,
    .set_priority  = set_priority_fifo,
    .inspect       = inspect_fifo,
};
