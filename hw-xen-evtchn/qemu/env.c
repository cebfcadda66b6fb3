/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the event-channel model needs from outside: memory, locks, frames. */

#include "qemu/osdep.h"
#include "qemu/memalign.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "system/kvm.h"
#include "system/runstate.h"
#include "target/i386/cpu.h"
#include "target/i386/kvm/xen-emu.h"

#include "hw/i386/kvm/xen_overlay.h"
#include "hw/xen-accel/xen_accel.h"
#include "internal.h"
#include "relax.h"

#define FRAME_SHIFT 12

typedef struct MappedFrame {
    MemoryRegion *mr;           /* with a reference */
    hwaddr offset;
    unsigned int users;
} MappedFrame;

static void *env_alloc(void *opaque, size_t size)
{
    void *ptr = qemu_try_memalign(64, size);

    return ptr ? memset(ptr, 0, size) : NULL;
}

static void env_free(void *opaque, void *ptr, size_t size)
{
    qemu_vfree(ptr);
}

static void env_lock_init(void *lock)
{
    qemu_mutex_init(lock);
}

static void env_lock_destroy(void *lock)
{
    qemu_mutex_destroy(lock);
}

static void env_lock(void *lock)
{
    qemu_mutex_lock((QemuMutex *)lock);
}

static void env_unlock(void *lock)
{
    qemu_mutex_unlock((QemuMutex *)lock);
}

static void *env_map_frame(void *opaque, uint64_t gfn)
{
    XenEvtchnState *s = opaque;
    MemoryRegionSection section;
    MappedFrame *frame;
    void *ptr;

    if (gfn > UINT64_MAX >> FRAME_SHIFT) {
        return NULL;
    }
    /* With a reference, which keeps the memory where it is. */
    section = memory_region_find(get_system_memory(), gfn << FRAME_SHIFT,
                                 EVTCHN_FRAME_SIZE);
    if (!section.mr) {
        return NULL;
    }
    if (!memory_region_is_ram(section.mr) ||
        memory_region_is_ram_device(section.mr) || section.readonly ||
        int128_lt(section.size, int128_make64(EVTCHN_FRAME_SIZE))) {
        memory_region_unref(section.mr);
        return NULL;
    }
    ptr = memory_region_get_ram_ptr(section.mr) + section.offset_within_region;

    QEMU_LOCK_GUARD(&s->frames_lock);
    frame = g_hash_table_lookup(s->frames, ptr);
    if (frame) {
        memory_region_unref(section.mr);
    } else {
        frame = g_new0(MappedFrame, 1);
        frame->mr = section.mr;
        frame->offset = section.offset_within_region;
        g_hash_table_insert(s->frames, ptr, frame);
    }
    frame->users++;
    return ptr;
}

static void env_unmap_frame(void *opaque, uint64_t gfn, void *ptr)
{
    XenEvtchnState *s = opaque;
    MappedFrame *frame;

    QEMU_LOCK_GUARD(&s->frames_lock);
    frame = g_hash_table_lookup(s->frames, ptr);
    if (!--frame->users) {
        memory_region_set_dirty(frame->mr, frame->offset, EVTCHN_FRAME_SIZE);
        memory_region_unref(frame->mr);
        g_hash_table_remove(s->frames, ptr);
    }
}

static bool env_read_guest(void *opaque, uint64_t addr, void *buf, size_t size)
{
    /* Only a vCPU makes hypercalls with pointers in them. */
    return current_cpu && !kvm_copy_from_gva(current_cpu, addr, buf, size);
}

static void env_raise_upcall(void *opaque, uint32_t vcpu)
{
    xen_evtchn_traffic_sent(vcpu);
    xen_evtchn_raise_upcall(opaque, vcpu);
}

static void env_wake_poller(void *opaque, uint32_t vcpu)
{
    CPUState *cs = xen_evtchn_get_cpu(vcpu);

    if (cs) {
        xen_accel->wake_vcpu(cs);
        xen_evtchn_put_cpu(vcpu);
    }
}

static void env_binding_changed(void *opaque, uint32_t port,
                                enum evtchn_state was,
                                const struct evtchn_port_info *info)
{
    xen_evtchn_kvm_binding_changed(opaque, port, info);
    xen_evtchn_msi_binding_changed(opaque, was, info);
}

/* Readers are what internal.h says. */
static void env_synchronize(void *opaque)
{
    synchronize_rcu();
}

#define ENV_BASICS                          \
    .alloc = env_alloc,                     \
    .free = env_free,                       \
    .lock_size = sizeof(QemuMutex),         \
    .lock_init = env_lock_init,             \
    .lock_destroy = env_lock_destroy,       \
    .lock = env_lock,                       \
    .unlock = env_unlock,                   \
    .relax = xen_evtchn_relax,              \
    .map_frame = env_map_frame,             \
    .unmap_frame = env_unmap_frame,         \
    .read_guest = env_read_guest,           \
    .raise_upcall = env_raise_upcall,       \
    .wake_poller = env_wake_poller,         \
    .synchronize = env_synchronize

const struct evtchn_env xen_evtchn_guest_env = {
    ENV_BASICS,
    .deliver_2l = xen_evtchn_kvm_deliver_2l,
    .abi_change = xen_evtchn_kvm_abi_change,
    .binding_changed = env_binding_changed,
};

const struct evtchn_env xen_evtchn_host_env = {
    ENV_BASICS,
    .notify = xen_evtchn_backend_notify,
};

/*
 * The model writes to the guest's frames without the dirty log's knowing, as
 * KVM does to vcpu_info.  A stopped guest's frames are saved once more.
 */
static void vm_state_changed(void *opaque, bool running, RunState state)
{
    XenEvtchnState *s = opaque;
    GHashTableIter iter;
    MappedFrame *frame;
    ram_addr_t offset;
    MemoryRegion *mr;

    if (running) {
        return;
    }
    /* shared_info is QEMU's own page, and no frame of the model's. */
    mr = memory_region_from_host(xen_overlay_get_shinfo_ptr(), &offset);
    memory_region_set_dirty(mr, offset, EVTCHN_FRAME_SIZE);
    QEMU_LOCK_GUARD(&s->frames_lock);
    g_hash_table_iter_init(&iter, s->frames);
    while (g_hash_table_iter_next(&iter, NULL, (void **)&frame)) {
        memory_region_set_dirty(frame->mr, frame->offset, EVTCHN_FRAME_SIZE);
    }
}

void xen_evtchn_env_init(XenEvtchnState *s)
{
    qemu_mutex_init(&s->frames_lock);
    s->frames = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    qemu_add_vm_change_state_handler(vm_state_changed, s);
}
