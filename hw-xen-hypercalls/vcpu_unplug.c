/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guest has set up for a vCPU while there is no such CPU.
 *
 * On Xen a domain has all its vCPUs for life: one that is unplugged is offline,
 * and keeps what the guest has registered for it.  So Linux registers vcpu_info
 * once, and not again when the CPU is plugged anew.  In QEMU an unplugged CPU is
 * destroyed, so what belongs to the vCPU of that number is kept here, and the next
 * CPU of that number gets it.
 *
 * Its ports, its FIFO control block and where events are marked for it are kept by
 * the event-channel device, by number anyway.
 */

#include "hypercalls.h"
#include "qemu/error-report.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/boards.h"
#include "migration/vmstate.h"
#include "system/kvm_xen.h"
#include "system/runstate.h"
#include "hw/xen-evtchn/qemu/hooks.h"
#include "hw/xen/interface/vcpu.h"

typedef struct AbsentVCPU {
    MemoryRegion *vcpu_info_mr;     /* a reference: events are marked there */
    void *vcpu_info_hva;
    uint64_t vcpu_info_gpa;
    uint64_t vcpu_info_default_gpa;
    uint64_t time_info_gpa;
    uint64_t runstate_gpa;
    uint64_t singleshot_timer_ns;
    uint64_t periodic_timer_period;
    uint8_t callback_vector;
    struct vcpu_runstate_info runstate;     /* the accelerator's */
} AbsentVCPU;

static const AbsentVCPU nothing = {
    .vcpu_info_gpa = INVALID_GPA,
    .vcpu_info_default_gpa = INVALID_GPA,
    .time_info_gpa = INVALID_GPA,
    .runstate_gpa = INVALID_GPA,
    .runstate.state = RUNSTATE_offline,
};

static GArray *absent;      /* AbsentVCPU by number; BQL */

static AbsentVCPU *absent_vcpu(uint32_t vcpu)
{
    if (!absent) {
        uint32_t i, nr = MACHINE(qdev_get_machine())->smp.max_cpus;

        absent = g_array_sized_new(false, false, sizeof(AbsentVCPU), nr);
        for (i = 0; i < nr; i++) {
            g_array_append_val(absent, nothing);
        }
    }
    return vcpu < absent->len ? &g_array_index(absent, AbsentVCPU, vcpu) : NULL;
}

void xen_vcpu_unplugged(CPUState *cs)
{
    CPUX86State *env = &X86_CPU(cs)->env;
    AbsentVCPU *a = absent_vcpu(cs->cpu_index);

    *a = (AbsentVCPU) {
        .vcpu_info_mr = g_steal_pointer(&env->xen_vcpu_info_mr),
        .vcpu_info_hva = g_steal_pointer(&env->xen_vcpu_info_hva),
        .vcpu_info_gpa = env->xen_vcpu_info_gpa,
        .vcpu_info_default_gpa = env->xen_vcpu_info_default_gpa,
        .time_info_gpa = env->xen_vcpu_time_info_gpa,
        .runstate_gpa = env->xen_vcpu_runstate_gpa,
        .singleshot_timer_ns = env->xen_singleshot_timer_ns,
        .periodic_timer_period = env->xen_periodic_timer_period,
        .callback_vector = env->xen_vcpu_callback_vector,
        .runstate = a->runstate,
    };
}

struct vcpu_runstate_info *xen_absent_vcpu_runstate(uint32_t vcpu)
{
    return &absent_vcpu(vcpu)->runstate;
}

static void set_state(CPUState *cs, run_on_cpu_data data)
{
    int ret = kvm_put_xen_state(cs);

    if (ret) {
        error_report("vCPU %d: what the guest had registered for it before it "
                     "was unplugged cannot be set up again: %s", cs->cpu_index,
                     strerror(-ret));
    }
}

void xen_vcpu_plugged(CPUState *cs)
{
    CPUX86State *env = &X86_CPU(cs)->env;
    AbsentVCPU *a = absent_vcpu(cs->cpu_index);

    env->xen_vcpu_info_mr = a->vcpu_info_mr;
    env->xen_vcpu_info_hva = a->vcpu_info_hva;
    env->xen_vcpu_info_gpa = a->vcpu_info_gpa;
    env->xen_vcpu_info_default_gpa = a->vcpu_info_default_gpa;
    env->xen_vcpu_time_info_gpa = a->time_info_gpa;
    env->xen_vcpu_runstate_gpa = a->runstate_gpa;
    env->xen_singleshot_timer_ns = a->singleshot_timer_ns;
    env->xen_periodic_timer_period = a->periodic_timer_period;
    env->xen_vcpu_callback_vector = a->callback_vector;
    *a = nothing;
    /* Before it runs for the first time. */
    async_run_on_cpu(cs, set_state, RUN_ON_CPU_NULL);
}

void xen_absent_vcpu_set_default_info(uint32_t vcpu, uint64_t gpa)
{
    AbsentVCPU *a = absent_vcpu(vcpu);

    if (a) {
        a->vcpu_info_default_gpa = gpa;
    }
}

void xen_absent_vcpus_reset(void)
{
    struct vcpu_runstate_info runstate;
    uint32_t i;

    for (i = 0; absent && i < absent->len; i++) {
        AbsentVCPU *a = absent_vcpu(i);

        if (a->vcpu_info_mr) {
            xen_evtchn_forget_vcpu_info(i);
            memory_region_unref(a->vcpu_info_mr);
        }
        runstate = a->runstate;
        *a = nothing;
        a->runstate = runstate;
    }
}

/* What the guest has registered for vCPUs that have yet to be plugged. */
typedef struct InUse {
    bool vcpu_info;
} InUse;

static struct AbsentStream {
    bool came;              /* with this load */
    int32_t nr;
    AbsentVCPU *vcpus;
    InUse *in_use;
    struct vcpu_runstate_info *runstates;
} stream;

static uint64_t vcpu_info_of(const AbsentVCPU *a)
{
    return a->vcpu_info_gpa != INVALID_GPA ? a->vcpu_info_gpa :
                                             a->vcpu_info_default_gpa;
}

static int pre_save(void *opaque)
{
    uint32_t i;

    stream.nr = absent->len;
    stream.vcpus = (AbsentVCPU *)absent->data;
    stream.in_use = g_new0(InUse, stream.nr);
    stream.runstates = g_new0(struct vcpu_runstate_info, stream.nr);
    for (i = 0; i < absent->len; i++) {
        stream.in_use[i].vcpu_info = absent_vcpu(i)->vcpu_info_mr != NULL;
        stream.runstates[i] = absent_vcpu(i)->runstate;
    }
    return 0;
}

static int post_save(void *opaque)
{
    stream.vcpus = NULL;
    g_free(g_steal_pointer(&stream.in_use));
    g_free(g_steal_pointer(&stream.runstates));
    return 0;
}

static bool is_nr_vcpus(void *opaque, int version_id)
{
    absent_vcpu(0);
    return stream.nr == absent->len;
}

static int pre_load(void *opaque)
{
    g_free(g_steal_pointer(&stream.vcpus));
    g_free(g_steal_pointer(&stream.in_use));
    g_free(g_steal_pointer(&stream.runstates));
    return 0;
}

static int post_load(void *opaque, int version_id)
{
    uint32_t i;

    for (i = 0; i < absent->len; i++) {
        *absent_vcpu(i) = stream.vcpus[i];
        /* The array has been allocated, but no more than the stream's fields set. */
        absent_vcpu(i)->vcpu_info_mr = NULL;
        absent_vcpu(i)->vcpu_info_hva = NULL;
        /* A version before 3 has none. */
        absent_vcpu(i)->runstate = stream.runstates ? stream.runstates[i] :
                                                      nothing.runstate;
        absent_vcpu(i)->runstate.state = RUNSTATE_offline;
    }
    g_free(g_steal_pointer(&stream.vcpus));
    g_free(g_steal_pointer(&stream.runstates));
    stream.came = true;
    return 0;
}

/* Events go on to be marked there, for when the vCPU is plugged again. */
static int map_vcpu_info(uint32_t i)
{
    AbsentVCPU *a = absent_vcpu(i);
    MemoryRegionSection section =
        memory_region_find(get_system_memory(), vcpu_info_of(a),
                           sizeof(struct vcpu_info));

    if (!section.mr || !memory_region_is_ram(section.mr) ||
        int128_lt(section.size, int128_make64(sizeof(struct vcpu_info)))) {
        memory_region_unref(section.mr);
        error_report("vCPU %u, which is unplugged: no memory where the guest "
                     "has its vcpu_info", i);
        return -EINVAL;
    }
    a->vcpu_info_mr = section.mr;
    a->vcpu_info_hva = (char *)memory_region_get_ram_ptr(section.mr) +
                       section.offset_within_region;
    xen_evtchn_set_absent_vcpu_info(i, a->vcpu_info_hva);
    return 0;
}

int xen_absent_vcpus_loaded(void)
{
    uint32_t i;
    int ret = 0;

    if (!stream.came) {
        /* What is left of a load that failed */
        pre_load(NULL);
        /* Times to which the saved guest may not have come yet */
        for (i = 0; absent && i < absent->len; i++) {
            absent_vcpu(i)->runstate = nothing.runstate;
        }
    }
    stream.came = false;
    for (i = 0; stream.in_use && i < absent->len && !ret; i++) {
        if (stream.in_use[i].vcpu_info) {
            ret = map_vcpu_info(i);
        }
    }
    g_free(g_steal_pointer(&stream.in_use));
    return ret;
}

/* Senders write there without the dirty log's knowing. */
static void vm_changed(void *opaque, bool running, RunState state)
{
    uint32_t i;

    for (i = 0; absent && i < absent->len && !running; i++) {
        AbsentVCPU *a = absent_vcpu(i);

        if (a->vcpu_info_mr) {
            memory_region_set_dirty(
                a->vcpu_info_mr,
                (char *)a->vcpu_info_hva -
                    (char *)memory_region_get_ram_ptr(a->vcpu_info_mr),
                sizeof(struct vcpu_info));
        }
    }
}

static bool needed(void *opaque)
{
    uint32_t i;

    for (i = 0; absent && i < absent->len; i++) {
        if (memcmp(absent_vcpu(i), &nothing, sizeof(nothing))) {
            return true;
        }
    }
    return false;
}

static const VMStateDescription vmstate_absent_vcpu = {
    .name = "xen_absent_vcpu",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(vcpu_info_gpa, AbsentVCPU),
        VMSTATE_UINT64(vcpu_info_default_gpa, AbsentVCPU),
        VMSTATE_UINT64(time_info_gpa, AbsentVCPU),
        VMSTATE_UINT64(runstate_gpa, AbsentVCPU),
        VMSTATE_UINT64(singleshot_timer_ns, AbsentVCPU),
        VMSTATE_UINT64(periodic_timer_period, AbsentVCPU),
        VMSTATE_UINT8(callback_vector, AbsentVCPU),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_in_use = {
    .name = "xen_absent_vcpu_in_use",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(vcpu_info, InUse),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_runstate = {
    .name = "xen_absent_vcpu_runstate",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(state_entry_time, struct vcpu_runstate_info),
        VMSTATE_UINT64_ARRAY(time, struct vcpu_runstate_info, 4),
        VMSTATE_END_OF_LIST()
    },
};

/* Version 1 was saved only when nothing was in use. */
static const VMStateDescription vmstate_absent = {
    .name = "xen_absent_vcpus",
    .version_id = 3,
    .minimum_version_id = 1,
    .needed = needed,
    .pre_save = pre_save,
    .post_save = post_save,
    .pre_load = pre_load,
    .post_load = post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_INT32(nr, struct AbsentStream),
        VMSTATE_VALIDATE("number of vCPUs", is_nr_vcpus),
        VMSTATE_STRUCT_VARRAY_ALLOC(vcpus, struct AbsentStream, nr, 1,
                                    vmstate_absent_vcpu, AbsentVCPU),
        VMSTATE_STRUCT_VARRAY_ALLOC(in_use, struct AbsentStream, nr, 2,
                                    vmstate_in_use, InUse),
        VMSTATE_STRUCT_VARRAY_ALLOC(runstates, struct AbsentStream, nr, 3,
                                    vmstate_runstate,
                                    struct vcpu_runstate_info),
        VMSTATE_END_OF_LIST()
    },
};

void xen_absent_vcpus_init(void)
{
    vmstate_register(NULL, 0, &vmstate_absent, &stream);
    qemu_add_vm_change_state_handler(vm_changed, NULL);
}
