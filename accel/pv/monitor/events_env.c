/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the event-channel model needs: memory, locks, frames, and interrupts. */

#include "events.h"

struct evtchn_domain *guest_events;

/* Memory ----------------------------------------------------------------------- */

/*
 * The heap is memory of its own, beside the guest's, of which the host gives only
 * what is touched.  Blocks are of the sizes 64, 128, 256 and so on, or of whole
 * pages; one that is free again is kept for the next of its size.  The model frees
 * nothing but when it fails.
 */
#define MIN_BLOCK 64ul
#define NR_SIZES  24

static struct {
    struct spinlock lock;
    uint64_t next, end;         /* through the directmap */
    void *free[NR_SIZES];       /* the first word of a block is the next one */
} heap;

static unsigned int size_class(size_t size)
{
    unsigned int class = 0;

    while (MIN_BLOCK << class < size) {
        class++;
    }
    return class;
}

static void *env_alloc(void *opaque, size_t size)
{
    unsigned int class = size_class(size);
    void *block;

    spin_lock(&heap.lock);
    block = heap.free[class];
    if (block) {
        heap.free[class] = *(void **)block;
    } else if (heap.end - heap.next >= size) {
        block = (void *)heap.next;
        heap.next += (size + MIN_BLOCK - 1) & -MIN_BLOCK;
    }
    spin_unlock(&heap.lock);
    return block ? __builtin_memset(block, 0, size) : NULL;
}

/* Only what has all of its class's size can serve another one of it. */
static void env_free(void *opaque, void *block, size_t size)
{
    unsigned int class = size_class(size);

    if (size != MIN_BLOCK << class) {
        return;
    }
    spin_lock(&heap.lock);
    *(void **)block = heap.free[class];
    heap.free[class] = block;
    spin_unlock(&heap.lock);
}

/* Locks ------------------------------------------------------------------------ */

void spin_lock(struct spinlock *lock)
{
    while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE)) {
        while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED)) {
            __builtin_ia32_pause();
        }
    }
}

void spin_unlock(struct spinlock *lock)
{
    __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

static void env_lock_init(void *lock)
{
    ((struct spinlock *)lock)->held = 0;
}

static void env_lock_destroy(void *lock)
{
}

static void env_lock(void *lock)
{
    spin_lock(lock);
}

static void env_unlock(void *lock)
{
    spin_unlock(lock);
}

static void env_relax(unsigned int spins)
{
    __builtin_ia32_pause();
}

/* The guest ---------------------------------------------------------------------- */

static void *env_map_frame(void *opaque, uint64_t gfn)
{
    return is_writable_frame(gfn) ? frame(gfn) : NULL;
}

static void env_unmap_frame(void *opaque, uint64_t gfn, void *page)
{
}

static bool env_read_guest(void *opaque, uint64_t address, void *to,
                           size_t size)
{
    return !copy_from_guest(to, address, size);
}

/*
 * This vCPU looks for upcalls before it goes back.  Another one may be past that,
 * or sleep.
 */
static void env_interrupt(void *opaque, uint32_t vcpu)
{
    struct vcpu *target = vcpu_by_id(vcpu);

    if (target != this_vcpu() && has_started(target)) {
        kick(target);
    }
}

static const struct evtchn_env env = {
    .alloc = env_alloc,
    .free = env_free,
    .lock_size = sizeof(struct spinlock),
    .lock_init = env_lock_init,
    .lock_destroy = env_lock_destroy,
    .lock = env_lock,
    .unlock = env_unlock,
    .relax = env_relax,
    .map_frame = env_map_frame,
    .unmap_frame = env_unmap_frame,
    .read_guest = env_read_guest,
    .raise_upcall = env_interrupt,
    .wake_poller = env_interrupt,
};

void init_events(shared_info_t *shared, uint64_t first, uint64_t end)
{
    struct evtchn_domain_config config = {
        .domid = boot->domid,
        .nr_vcpus = boot->nr_vcpus,
        .max_ports = boot->max_ports,
        .fifo = boot->fifo,
        .three_level = boot->three_level,
    };
    struct evtchn_hub *hub;
    unsigned int i;

    heap.next = (uint64_t)frame(first);
    heap.end = (uint64_t)frame(end);
    hub = evtchn_hub_create(&env, NULL);
    if (!hub ||
        evtchn_domain_create(hub, &config, &env, NULL, &guest_events)) {
        crash_guest(NULL, "no memory for event channels");
    }
    evtchn_domain_set_shared_info(guest_events, shared);
    for (i = 0; i < boot->nr_vcpus && i < XEN_LEGACY_MAX_VCPUS; i++) {
        evtchn_vcpu_set_info(guest_events, i, &shared->vcpu_info[i], false);
    }
}
