/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The start of the guest, and of its other vCPUs, in the monitor. */

#include "events.h"
#include "marks.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>

/* The port of a back end, or 0 where there is none: a machine need not have a console. */
static uint32_t port_of(unsigned int hvm_param)
{
    struct xen_hvm_param param = { .domid = DOMID_SELF, .index = hvm_param };

    return l0_call(__HYPERVISOR_hvm_op, HVMOP_get_param, (uint64_t)&param, 0, 0,
                   0) ? 0 : param.value;
}

/* L0's vcpu_info of all vCPUs are the monitor's, from frame @mfn on. */
static uint64_t place_l0_infos(uint64_t mfn)
{
    unsigned int id;

    for (id = 0; id < boot->nr_vcpus; id++) {
        struct vcpu_register_vcpu_info op = {
            .mfn = mfn + id * sizeof(vcpu_info_t) / PAGE_SIZE,
            .offset = id * sizeof(vcpu_info_t) % PAGE_SIZE,
        };

        vcpu_by_id(id)->l0_info =
            (vcpu_info_t *)((uint8_t *)frame(op.mfn) + op.offset);
        if (l0_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, id,
                    (uint64_t)&op, 0, 0)) {
            crash_guest(NULL, "L0 takes no vcpu_info for vCPU %u", id);
        }
    }
    return mfn + (boot->nr_vcpus * sizeof(vcpu_info_t) + PAGE_SIZE - 1) /
                     PAGE_SIZE;
}

static void init_own_events(shared_info_t *shared, const start_info_t *info)
{
    uint64_t heap = place_l0_infos(boot->heap_mfn + 1);
    unsigned int i;

    for (i = 0; i < XEN_LEGACY_MAX_VCPUS; i++) {
        copy_time(vcpu_by_id(i < boot->nr_vcpus ? i : 0),
                  &shared->vcpu_info[i]);
    }
    copy_wallclock();
    init_events(shared, heap, boot->heap_mfn + boot->nr_heap_mfns);
    adopt_l0_ports((const uint32_t[]){ info->store_evtchn,
                                       info->console.domU.evtchn }, 2);
    init_timers(this_vcpu());
}

static void init_guest(void)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF,
        .space = XENMAPSPACE_shared_info,
        .gpfn = boot->l0_shared_info_mfn,
    };
    start_info_t *info = frame(boot->start_info_mfn);
    shared_info_t *shared = frame(boot->shared_info_mfn);
    unsigned int i;

    if (l0_call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, (uint64_t)&map,
                0, 0, 0)) {
        crash_guest(NULL, "L0 does not map shared_info");
    }
    for (i = 0; i < XEN_LEGACY_MAX_VCPUS; i++) {
        shared->vcpu_info[i].evtchn_upcall_mask = 1;
    }
    for (i = 0; i < boot->nr_vcpus && i < XEN_LEGACY_MAX_VCPUS; i++) {
        vcpu_by_id(i)->info = &shared->vcpu_info[i];
    }
    info->store_evtchn = port_of(HVM_PARAM_STORE_EVTCHN);
    info->console.domU.evtchn = port_of(HVM_PARAM_CONSOLE_EVTCHN);
    if (own_events()) {
        init_own_events(shared, info);
    }
    mark_tables(boot->top_mfn, 4);
}

static void start_vcpu0(void)
{
    struct vcpu *v = vcpu_by_id(0);
    struct regs regs = {
        .rip = boot->rip, .rsp = boot->rsp, .rsi = boot->start_info,
        .cs = SEL_CS64, .ss = SEL_DS, .rflags = FLAG_IF | 2,
    };
    unsigned int id;

    for (id = 0; id < boot->nr_vcpus; id++) {
        vcpu_by_id(id)->id = id;
        vcpu_by_id(id)->runstate.info.state = RUNSTATE_offline;
    }
    fill_idt();
    init_processor(v);
    init_guest();
    v->kernel_mode = true;
    v->initialised = v->started = true;
    v->state = VCPU_UP;
    v->kernel_top = boot->top_mfn;
    write_dr7(0x400);
    refresh_runstate(v);
    enter_guest(v);
    run_guest(&regs);
}

/* Other vCPUs ---------------------------------------------------------------------- */

static void start_other(struct vcpu *v)
{
    struct regs regs;

    init_processor(v);
    if (own_events()) {
        init_timers(v);
    }
    load_context(v, &regs);
    if (own_events()) {
        refresh_time(v);
    }
    refresh_runstate(v);
    /* An NMI or an event may have come for it before; or it is to be down already. */
    park_if_asked();
    deliver(&regs);
    enter_guest(v);
    run_guest(&regs);
}

void start(void)
{
    struct vcpu *v = this_vcpu();

    if (v == vcpu_by_id(0)) {
        start_vcpu0();
    } else {
        start_other(v);
    }
    __builtin_unreachable();
}
